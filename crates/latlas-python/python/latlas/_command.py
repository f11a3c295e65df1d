"""The ``latlas`` command, which the extension module holds."""

from __future__ import annotations

import signal
import sys

from latlas._latlas import main as _main


def main() -> int:
    """Runs the command with the words that this process was given, and returns its exit code."""
    # As any command: Ctrl-C and a closed pipe end it at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _main(["latlas", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
