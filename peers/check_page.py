"""Opens report pages in headless Chromium as a reader would: wide and light, wide and dark, on a phone.

    python3 peers/check_page.py OUT_DIR NAME=PAGE.html [NAME=PAGE.html …]

Fails on a message in the console, on any request that leaves the page, on a figure without size, name or labels, on an
image that does not load, and on text that overflows. Writes `OUT_DIR/NAME-{light,dark,phone}.png`. Standard library only;
Chromium is driven through its debugging pipe.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
]
MODES = {"light": (1200, 900, "light"), "dark": (1200, 900, "dark"), "phone": (390, 844, "light")}

# Runs inside the page; returns one line for each fault.
INSPECT = """
(() => {
  const faults = [], wide = document.scrollingElement.scrollWidth, room = window.innerWidth;
  if (wide > room) faults.push(`the page is ${wide} px wide in a window of ${room}`);
  const figures = [...document.querySelectorAll('svg[role=img]')].filter(svg => svg.getClientRects().length);
  if (figures.length < 3) faults.push(`only ${figures.length} figures`);
  for (const svg of figures) {
    const box = svg.getBoundingClientRect(), name = svg.querySelector('title')?.textContent ?? '';
    if (!name) faults.push('a figure without a title');
    if (box.width < 100 || box.height < 40) faults.push(`figure "${name}" is ${box.width} x ${box.height}`);
    const labels = [...svg.querySelectorAll('text')];
    if (labels.length < 2) faults.push(`figure "${name}" has no labels`);
    for (const label of labels) {
      const r = label.getBoundingClientRect();
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
        faults.push(`label "${label.textContent}" reaches outside figure "${name}"`);
    }
  }
  for (const img of document.images) if (!img.complete || img.naturalWidth === 0) faults.push(`image "${img.alt}" does not load`);
  for (const e of document.querySelectorAll('h1, h2, h3, p, li, figcaption, td, th, dd, dt'))
    if (getComputedStyle(e).overflowX === 'visible' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
      faults.push(`text overflows in <${e.tagName.toLowerCase()}> "${e.textContent.slice(0, 40)}"`);
  return faults;
})()
"""


class Browser:
    """A headless Chromium behind two pipes: commands in, answers and events out, separated by zero bytes."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            sys.exit("error: Chromium is not installed\nhint: apt-get install chromium")
        self.profile = tempfile.TemporaryDirectory()
        command_read, self.command = os.pipe()
        self.answers, answer_write = os.pipe()

        def at_fixed_numbers():
            # Chromium reads commands at descriptor 3 and writes answers at 4; neither source may be overwritten first.
            source, sink = os.dup2(command_read, 33), os.dup2(answer_write, 34)
            os.dup2(source, 3)
            os.dup2(sink, 4)

        arguments = [program, *FLAGS, f"--user-data-dir={self.profile.name}"]
        self.process = subprocess.Popen(
            arguments, preexec_fn=at_fixed_numbers, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(command_read)
        os.close(answer_write)
        self.buffer, self.events, self.last = b"", [], 0

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                sys.exit("error: Chromium ended early")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.command, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive())

    def close(self):
        self.call("Browser.close")
        self.process.wait()


def visit(browser, page, mode, picture):
    """Opens the page in one mode and returns what is wrong with it."""
    width, height, scheme = MODES[mode]
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ["Page", "Runtime", "Log", "Network"]:
        browser.call(f"{domain}.enable", session)
    browser.call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1, mobile=mode == "phone")
    browser.events.clear()
    browser.call("Page.navigate", session, url=page.resolve().as_uri())
    browser.wait("Page.loadEventFired")
    faults = browser.call("Runtime.evaluate", session, expression=INSPECT, returnByValue=True)["result"]["value"]
    size = browser.call("Page.getLayoutMetrics", session)["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
    shot = browser.call("Page.captureScreenshot", session, format="png", captureBeyondViewport=True, clip=clip)
    picture.write_bytes(base64.b64decode(shot["data"]))
    for event in browser.events:
        details = event.get("params", {})
        if event.get("method") == "Runtime.consoleAPICalled":
            faults.append(f"console: {details['args']}")
        elif event.get("method") == "Runtime.exceptionThrown":
            faults.append(f"exception: {details['exceptionDetails']['text']}")
        elif event.get("method") == "Log.entryAdded":
            faults.append(f"log: {details['entry']['text']}")
        elif event.get("method") == "Network.requestWillBeSent":
            url = details["request"]["url"]
            if url != page.resolve().as_uri() and not url.startswith("data:"):
                faults.append(f"request leaves the page: {url[:80]}")
    browser.call("Target.closeTarget", targetId=target)
    return faults


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    browser, passed, failed = Browser(), 0, 0
    for argument in sys.argv[2:]:
        name, page = argument.split("=", 1)
        for mode in MODES:
            faults = visit(browser, pathlib.Path(page), mode, out / f"{name}-{mode}.png")
            passed, failed = passed + (not faults), failed + bool(faults)
            print(f"{name}, {mode}: {'ok' if not faults else ''}", *faults[:20], sep="\n    " if faults else "")
    browser.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
