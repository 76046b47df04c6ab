"""A little world from above: the way that is gone, and how much of each earlier step is read for one decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.look import QUERY
from attnviz.figures.theme import LIGHT, Theme, on_page
from attnviz.locale import t

__all__ = ["grid"]

CELL = 38  # pixels
GOALS = {"R": "#c8322b", "G": "#2e8b3d", "B": "#2f6fd0"}  # called by these colours; their letters stand on them
WALL = "#"

Path = Sequence[tuple[int, int]]


def grid(
    world: Sequence[str],
    paths: Mapping[str, Path],
    masses: Tensor | None = None,
    at: tuple[int, int] | None = None,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw the world with walls and goals, ways through it, and attention on the places.

    Args:
        world: lines of signs: # wall, . floor, R G B goals.
        paths: rows and columns of the places of each way, by its name; the first one is drawn stronger.
        masses: (rows, columns), 0 to 1; None: no attention.
        at: the place where one stands.

    Example:
        >>> import torch
        >>> figure = grid(["#G#", "#.#"], {"model": [(1, 1), (0, 1)]}, torch.eye(2, 3), (1, 1))
        >>> [trace.type for trace in figure.data]
        ['heatmap', 'heatmap', 'scatter', 'scatter', 'scatter']
    """
    traces: list[go.Heatmap | go.Scatter] = [_floor(world, masses, theme, lang), _walls(world, theme)]
    looks = ({"color": theme.ink, "width": 3}, {"color": theme.muted, "width": 2, "dash": "dot"})
    for (name, path), line in zip(paths.items(), looks, strict=False):
        traces.append(_way(path, name, line))
    traces.append(_goals(world))  # over the ways that end there
    if at is not None:
        mark = {"symbol": "circle-open", "size": 22, "color": QUERY, "line": {"width": 4}}
        traces.append(_marks([at], mark).update(showlegend=False))
    figure = on_page(go.Figure(traces), theme, "", CELL * len(world) + 40)
    quiet = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "constrain": "domain"}
    tick = {"tickfont": {"size": 11, "color": theme.muted}, "dtick": 1}
    figure.update_xaxes(quiet | tick | {"range": [-0.5, len(world[0]) - 0.5], "constraintoward": "left"})
    figure.update_yaxes(quiet | tick | {"range": [len(world) - 0.5, -0.5], "scaleanchor": "x"})
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 11}}
    return figure.update_layout(margin={"l": 24, "r": 4, "t": 32, "b": 22}, legend=legend)


def _floor(world: Sequence[str], masses: Tensor | None, theme: Theme, lang: str) -> go.Heatmap:
    shape = (len(world), len(world[0]))
    numbers = [[0.0] * shape[1]] * shape[0] if masses is None else masses.tolist()
    place = t(lang, "applications.gridworld.place")
    look = {"hoverinfo": "skip"} if masses is None else {}
    return go.Heatmap(
        z=numbers,
        zmin=0,
        zmax=1,
        colorscale=theme.sequential,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate=f"{place} %{{y}}, %{{x}}<br><b>%{{z:.9~g}}</b><extra></extra>",
    ).update(look)


def _walls(world: Sequence[str], theme: Theme) -> go.Heatmap:
    walls = [[1.0 if sign == WALL else None for sign in line] for line in world]
    scale = [(0.0, theme.grid), (1.0, theme.grid)]
    return go.Heatmap(z=walls, colorscale=scale, showscale=False, hoverinfo="skip", xgap=1, ygap=1)


def _goals(world: Sequence[str]) -> go.Scatter:
    found = [
        ((row, column), sign) for row, line in enumerate(world) for column, sign in enumerate(line) if sign in GOALS
    ]
    mark = {"symbol": "square", "size": 24, "color": [GOALS[sign] for _, sign in found], "line": {"width": 0}}
    goals = _marks([place for place, _ in found], mark)
    letters = {"text": [sign for _, sign in found], "textfont": {"color": "#ffffff", "size": 14}}
    return goals.update(mode="markers+text", showlegend=False, **letters)


def _way(path: Path, name: str, line: dict[str, object]) -> go.Scatter:
    steps = [f"{step}" for step in range(len(path))]
    way = _marks(path, {"size": 6, "color": line["color"]}).update(mode="lines+markers", name=name, line=line)
    return way.update(customdata=steps, hoverinfo=None, hovertemplate="%{customdata}")


def _marks(places: Path, marker: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=[column for _, column in places],
        y=[row for row, _ in places],
        mode="markers",
        marker=marker,
        hoverinfo="skip",
    )
