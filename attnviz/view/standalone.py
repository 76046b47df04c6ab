"""The view of a trace as one HTML file that needs no network: `to_html`, and `show` for notebooks.

The page (`attnviz.view.page`) holds the texts and the numbers (`attnviz.view.parts`) beside the modules of the view.

Whole are the thumbnails, the outputs and every number of the chosen heads; of the other heads the page has the weights,
rounded. What is rounded says so, and what is not there says how to get it.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from attnviz import locale
from attnviz.edits import Sweep
from attnviz.trace import AttentionSite, Trace
from attnviz.view.page import check_language, page, title_of
from attnviz.view.parts import Part, Rounding, deflated, rounded_weights
from attnviz.view.payload import Stage, bundle, choice_of, overview, pack, proof, second_of, stages_of
from attnviz.view.sweep_map import first_missed, sweep_map
from attnviz.view.texts import texts_of_trace

if TYPE_CHECKING:
    from attnviz.view.widget import TraceWidget

__all__ = ["Shown", "page_of", "show", "to_html"]

Heads = Iterable[tuple[str | int, int]] | Literal["all"] | None

ROUNDINGS = (Rounding(10_000, 4), Rounding(5_000, 4), Rounding(2_000, 4), Rounding(1_000, 3))
ROUNDED_LIMIT = 15_000_000  # letters that all rounded weights may take; the finest rounding that fits is taken
MATRIX_LIMIT = 2**17  # bytes of a head's share of W_Q, W_K, W_V or W_O; a page leaves out larger ones
NAMED = 3  # heads that the page's note names


def to_html(
    trace: Trace,
    path: str | Path,
    *,
    heads: Heads = None,
    lang: str = locale.DEFAULT,
    title: str | None = None,
    beside: Trace | None = None,
    sweep: Sweep | None = None,
) -> Path:
    """Write the interactive view of a trace as one HTML file that opens in any current browser, without a network.

    The chosen heads come with all their numbers, as computed (float32), but for W_Q, W_K, W_V and W_O of wide models.
    Of the other heads come the weights, rounded to multiples of 1/10,000; in a file that would grow above 15 MB by it,
    of 1/5,000, 1/2,000 or 1/1,000. The page says so wherever it shows them.

    Args:
        path: path of the file; one that is there is replaced.
        heads: those with all their numbers, as (name of the site or index of the layer, head); the page opens with the
            first. "all": every head, which takes much room. None: the first that an edit changes, or that there is.
        lang: language of the page, "en" or "zh".
        title: title of the page; the model's and the text where there is none.
        beside: a second trace: the page shows either of them, or the first less the second. Of an edited trace it is
            the one before the edit.
        sweep: a sweep of this trace, shown as a map of the heads that leads to each; without `heads`, the page opens
            with the head that is missed most.

    Returns:
        The path.

    Raises:
        ValueError: there is no such head, or no such language.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile, attnviz
        >>> from attnviz.view.standalone import to_html
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> file = to_html(trace, Path(tempfile.mkdtemp()) / "reverse.html", heads=[(1, 0), ("encoder.0.self", 1)])
        >>> file.read_text("utf-8").startswith("<!doctype html>")
        True
    """
    path = Path(path)
    path.write_text(page_of(trace, heads, lang, title, beside=beside, sweep=sweep), "utf-8", newline="\n")
    return path


@dataclass(frozen=True)
class Shown:
    """A page that notebooks display: see `show`.

    Attributes:
        page: the whole page, as `to_html` writes it.
        height: height of the frame it is shown in, in CSS pixels.
        title: title for people who hear the page.
        word: said below the frame; "": nothing.
    """

    page: str = field(repr=False)
    height: int
    title: str
    word: str = ""

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        style = f"display: block; width: 100%; height: {self.height}px; border: 0"
        return (
            f'<iframe title="{html.escape(self.title)}" style="{style}" allow="clipboard-write" '
            f'srcdoc="{html.escape(self.page)}"></iframe>' + (f"<p>{html.escape(self.word)}</p>" if self.word else "")
        )


def show(
    trace: Trace,
    *,
    heads: Heads = None,
    lang: str = locale.DEFAULT,
    title: str | None = None,
    height: int = 860,
    beside: Trace | None = None,
    live: bool = True,
) -> TraceWidget | Shown:
    """Return the interactive view of a trace for a notebook: make it the last value of a cell. It needs no network.

    With anywidget, which `pip install "attnviz[notebook]"` brings, it is a widget: its head, lock and edits can be read
    and set in Python, see `attnviz.view.widget.TraceWidget`. Without, it is the page of `to_html`, and says so; that
    page becomes part of the notebook: some MB with a model of GPT-2's size, where `to_html` may be better.

    Args:
        heads: see `to_html`; a widget begins with the first, and has all numbers of every head.
        lang: see `to_html`.
        title: see `to_html`.
        height: height of the frame, in CSS pixels; what is longer scrolls inside of it.
        beside: see `to_html`.
        live: False: the page even where a widget could be, as in a notebook that is to be read without a kernel.

    Raises:
        ValueError: there is no such head, no such language, or the height is not above 0.

    Example:
        >>> import attnviz
        >>> from attnviz.view.standalone import show
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> show(trace, height=600, live=False)
        Shown(height=600, title='Reverse a sequence · g f e d c', word='')
    """
    if height <= 0:
        raise ValueError(f"height is {height}; it must be above 0 CSS pixels")
    if live and find_spec("anywidget") is not None:
        from attnviz.view.widget import TraceWidget

        return TraceWidget(trace, chosen_heads(trace, heads)[0], lang=lang, title=title, height=height, beside=beside)
    word = locale.t(lang, "standalone.no_widget") if live else ""
    return Shown(page_of(trace, heads, lang, title, beside=beside), height, title_of(trace, lang, title), word)


def chosen_heads(trace: Trace, heads: Heads) -> list[tuple[AttentionSite, int]]:
    """Return the heads that come whole, each once, in the order given."""
    if heads is None:
        edited = [(site, edit.head or 0) for site in trace.sites for edit in site.edits]
        return [*edited, (trace.sites[0], 0)][:1]
    if heads == "all":
        return [(site, head) for site in trace.sites for head in range(site.n_heads)]
    chosen = [] if isinstance(heads, str) else [_head(trace, place, head) for place, head in heads]
    if not chosen:
        raise ValueError(f'heads is {heads!r}: give at least one, such as heads=[(0, 0)], or "all"')
    return list(dict.fromkeys(chosen))


def _head(trace: Trace, place: str | int, head: int) -> tuple[AttentionSite, int]:
    try:
        site = trace.site(place) if isinstance(place, str) else trace.find(place)
        site.group(head)
    except (KeyError, IndexError) as error:
        raise ValueError(error.args[0]) from error
    return site, head


def page_of(
    trace: Trace,
    heads: Heads,
    lang: str,
    title: str | None = None,
    *,
    asked: Sequence[int] = (),
    truth: Sequence[str | None] = (),
    beside: Trace | None = None,
    sweep: Sweep | None = None,
) -> str:
    """Return the page; `asked` and `truth` are what the task of the model knows of its answer, see `overview`."""
    check_language(lang)
    chosen = chosen_heads(trace, [first_missed(sweep)] if sweep is not None and heads is None else heads)
    numbers = _Numbers(trace, chosen, lang, asked, truth, beside)
    told = {"texts": texts_of_trace(lang)}
    note = _note(trace, chosen, numbers.others, numbers.rounding, lang)
    above = "" if sweep is None else sweep_map(sweep, lang)
    return page(trace, lang, title, note, "export/standalone.js", {**numbers.index, **told}, numbers.parts, above)


class _Numbers:
    """The numbers of a page.

    Attributes:
        picture: the payload of the first picture.
        parts: by name: "overview", the picture; `<site>/<head>` for all of a chosen head; `<site>` for the weights of
            its others; those of a second trace below "beside/".
        index: what the page needs to know of them.
        others: heads of which there are the weights alone, by site.
        rounding: how these are rounded.
    """

    def __init__(
        self,
        trace: Trace,
        chosen: list[tuple[AttentionSite, int]],
        lang: str,
        asked: Sequence[int] = (),
        truth: Sequence[str | None] = (),
        beside: Trace | None = None,
        trace_id: str = "file",
    ) -> None:
        first, head = chosen[0]
        choice = choice_of(trace, first, head)
        other = None if beside is None else _Numbers(beside, _opposite(beside, chosen), lang, trace_id="beside")
        second = None if beside is None or other is None else second_of(trace, beside, other.picture)
        self.picture: bytes = overview(
            trace, trace_id=trace_id, choice=choice, lang=lang, asked=asked, truth=truth, second=second
        )
        header, arrays = _unpack(self.picture)
        shared = {path: array for path, array in arrays.items() if not path.startswith(f"{first.name}/")}
        self.parts = {"overview": deflated(pack(header, shared))}
        whole: dict[str, dict[int, list[str]]] = {}
        for site, index in chosen:
            payload = bundle(trace, site.name, [index], _stages(site))
            self.parts[f"{site.name}/{index}"] = deflated(payload, planes=4)
            whole.setdefault(site.name, {})[index] = [path.rsplit("/", 1)[1] for path in _unpack(payload)[1]]
        others = {s.name: [h for h in range(s.n_heads) if h not in whole.get(s.name, {})] for s in trace.sites}
        self.others = {name: heads for name, heads in others.items() if heads}
        self.rounding = _round(trace, self.others, self.parts) if self.others else ROUNDINGS[0]
        self.index: dict[str, Any] = {
            "whole": whole,
            "rounded": {s.name: _rounded(s, self.others[s.name]) for s in trace.sites if s.name in self.others},
            "levels": self.rounding.levels,
            "decimals": self.rounding.decimals,
            "proof": proof(trace),
            "beside": None if other is None else other.index,
        }
        if other is not None:
            self.parts |= {f"beside/{name}": part for name, part in other.parts.items() if name != "overview"}


def _opposite(trace: Trace, heads: list[tuple[AttentionSite, int]]) -> list[tuple[AttentionSite, int]]:
    """Return the heads at the same places of another trace, or its first one where there are none."""
    places = {site.place: site for site in trace.sites}
    found = [(places[site.place], head) for site, head in heads if site.place in places]
    return [(site, head) for site, head in found if head < site.n_heads] or [(trace.sites[0], 0)]


def _stages(site: AttentionSite) -> list[Stage]:
    """Return the stages of a chosen head that the page has."""
    width = 4 * (site.d_model or 0) * max(site.d_head, site.d_value)  # bytes
    return [stage for stage in stages_of(site) if width <= MATRIX_LIMIT or not stage.startswith("w_")]


def _rounded(site: AttentionSite, heads: list[int]) -> dict[str, Any]:
    return {"heads": heads, "shape": [site.q.shape[1], site.k.shape[1]]}


def _unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and arrays of a payload."""
    length = int.from_bytes(payload[4:8], "little")
    header = json.loads(payload[8 : 8 + length])
    data = 8 + length + -(8 + length) % 8
    arrays = {
        path: np.frombuffer(payload, entry["dtype"], math.prod(entry["shape"]), data + entry["offset"]).reshape(
            entry["shape"]
        )
        for path, entry in header.pop("arrays").items()
    }
    return header, arrays


def _round(trace: Trace, heads: Mapping[str, list[int]], parts: dict[str, Part]) -> Rounding:
    """Add the weights of the other heads, by the finest rounding whose text stays below the limit, or the coarsest."""
    sites = [trace.site(name) for name in heads]
    middle = sites[len(sites) // 2]
    share = _weights_of(middle, heads) / sum(_weights_of(site, heads) for site in sites)
    for rounding in ROUNDINGS:
        part = deflated(rounded_weights(middle, heads[middle.name], rounding), planes=2)
        if len(part.text) <= ROUNDED_LIMIT * share:
            break
    for site in sites:
        raw = b"" if site is middle else rounded_weights(site, heads[site.name], rounding)
        parts[site.name] = part if site is middle else deflated(raw, planes=2)
    return rounding


def _weights_of(site: AttentionSite, heads: Mapping[str, list[int]]) -> int:
    return len(heads[site.name]) * site.q.shape[1] * site.k.shape[1]


def _note(
    trace: Trace,
    chosen: list[tuple[AttentionSite, int]],
    others: Mapping[str, list[int]],
    rounding: Rounding,
    lang: str,
) -> str:
    count = sum(map(len, others.values()))
    if not count:
        return locale.t(lang, "standalone.note.all")
    names = locale.listed(lang, [_head_title(lang, site, head) for site, head in chosen[:NAMED]])
    if len(chosen) > NAMED:
        names = locale.t(lang, "standalone.more", heads=names, n=len(chosen) - NAMED)
    step = f"{rounding.step:.{rounding.decimals}f}"
    return locale.t(lang, "standalone.note", heads=names, n=count, step=step)


def _head_title(lang: str, site: AttentionSite, head: int) -> str:
    """Name a head as the view does."""
    stack = locale.t(lang, f"view.frame.stack.{site.stack}.{site.kind}")
    key = "view.frame.title" if site.part is None else "view.frame.title.part"
    return locale.t(lang, key, stack=stack, layer=site.layer, part=site.part, head=head)
