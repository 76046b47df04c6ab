"""The picture of the code's rooms, floor by floor, drawn from the import contract."""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
WIDTH, FLOOR, HEIGHT, GAP = 760, 46, 32, 12  # pixels: of the picture, from floor to floor, of a room, between rooms
LETTER, PADDING = 8, 24  # pixels of a room's name


def floors() -> list[list[str]]:
    """Return the rooms of each floor, the top one first: a room imports from the floors below it only."""
    contracts = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["name"] == "Imports point down only")
    return [
        ["app.py", "pages/"],
        *([room.strip().removeprefix("attnviz.") for room in row.split("|")] for row in layers),
    ]


def picture() -> str:
    """Return the SVG; it takes its colours from the page, so that it fits light and dark."""
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {FLOOR * len(floors())}" role="img" aria-label="The rooms of attnviz" '
        'fill="none" stroke="currentColor" font-family="monospace" font-size="13">',
        f'<path d="M18 20V{FLOOR * len(floors()) - 20}m-6 -10l6 10l6 -10" stroke-width="1.5"/>',
    ]
    for number, rooms in enumerate(floors()):
        widths = [LETTER * len(room) + PADDING for room in rooms]
        x = 40 + (WIDTH - 40 - sum(widths) - GAP * (len(rooms) - 1)) // 2
        y = FLOOR * number + 6
        for room, width in zip(rooms, widths, strict=True):
            lines.append(f'<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="5" stroke-opacity=".5"/>')
            middle = f'x="{x + width // 2}" y="{y + 21}" text-anchor="middle"'
            lines.append(f'<text {middle} fill="currentColor" stroke="none">{room}</text>')
            x += width + GAP
    return "\n".join([*lines, "</svg>"])
