"""A geodesic against the straight line between two latents, with NumPy alone.

    python examples/geodesic.py [FOLDER]

Along the straight line the decoded digit changes in jumps; along the geodesic it changes as little as possible, at one speed.
"""

import sys
from pathlib import Path

import numpy as np

import latlas


def speeds(decoder: latlas.Decoder, curve: np.ndarray) -> np.ndarray:
    """|Δx|·N along a curve ``[N+1, d]``: how fast what is decoded changes."""
    x = decoder.decode(curve)
    return np.linalg.norm(np.diff(x, axis=0), axis=1) * (len(curve) - 1)


def digits(images: np.ndarray, left: float, top: float, size: float) -> str:
    """A row of decoded digits as SVG squares."""
    cells = []
    for column, image in enumerate(images.reshape(len(images), 8, 8)):
        for (i, j), grey in np.ndenumerate(np.clip(image, 0, 1)):
            shade = int(255 * (1 - grey))
            x, y = left + column * (size + 4) + j * size / 8, top + i * size / 8
            cells.append(f"<rect x='{x:.2f}' y='{y:.2f}' width='{size / 8 + 0.1:.2f}' height='{size / 8 + 0.1:.2f}' fill='rgb({shade},{shade},{shade})'/>")
    return "".join(cells)


def main(folder: Path) -> None:
    decoder = latlas.load("builtin:digits-vae", dtype="f64")
    a, b = np.array([[-1.6, 1.2]]), np.array([[1.8, -1.0]])
    found = decoder.geodesic(a, b, points=201, embedding="mean")
    geodesic = found["curves"][0]
    line = a + np.linspace(0, 1, 201)[:, None] * (b - a)
    along = {"geodesic": speeds(decoder, geodesic), "straight line": speeds(decoder, line)}
    print(f"geodesic: {found['status'][0]}, length {found['length'][0]:.4f}, distance in [{found['lower'][0]:.4f}, {found['upper'][0]:.4f}]")
    for name, speed in along.items():
        print(f"{name:>13}: length {speed.mean():.4f}, speed from {speed.min():.2f} to {speed.max():.2f}")

    # The picture: both rows of digits, and below them the speeds.
    width, left, size = 740, 110, 46
    top = max(speed.max() for speed in along.values()) * 1.05
    rows, lines = [], []
    for row, (name, curve, colour, dash) in enumerate((("geodesic", geodesic, "#0072B2", ""), ("straight line", line, "#D55E00", "6 4"))):
        rows.append(f"<text x='{left - 8}' y='{40 + row * 60 + size / 2}' text-anchor='end'>{name}</text>")
        rows.append(digits(decoder.decode(curve[::20]), left, 30 + row * 60, size))
        speed = along[name]
        points = " ".join(f"{left + 540 * i / (len(speed) - 1):.1f},{370 - 180 * s / top:.1f}" for i, s in enumerate(speed))
        lines.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'/>")
        lines.append(f"<text x='{left + 548}' y='{370 - 180 * speed[-1] / top + 4 + 14 * row:.1f}' fill='{colour}' font-size='11'>{name}</text>")
    ticks = "".join(
        f"<text x='{left - 8}' y='{374 - 180 * s / top:.1f}' text-anchor='end' font-size='11'>{s:g}</text>"
        f"<line x1='{left}' x2='{left + 540}' y1='{370 - 180 * s / top:.1f}' y2='{370 - 180 * s / top:.1f}' stroke='#ddd'/>"
        for s in np.arange(0, top, 2.0)
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} 420' font-family='sans-serif' font-size='13'>"
        f"<rect width='{width}' height='420' fill='white'/>{''.join(rows)}{ticks}{''.join(lines)}"
        f"<text x='{left + 270}' y='402' text-anchor='middle'>t along the curve, from 0 to 1</text>"
        f"<text transform='translate(56 280) rotate(-90)' text-anchor='middle'>|dx/dt| in grey levels</text></svg>"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "geodesic.svg").write_text(svg, encoding="utf-8")
    print("the picture is", folder / "geodesic.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "latlas-out"))
