"""The view of a trace as one HTML file that needs no network: `to_html`, and `show` for notebooks.

The page holds the modules of the view, joined (`attnviz.view.modules`), texts, and the numbers (`attnviz.view.parts`).
A short script (`static/export/boot.js`) inflates and starts them. Nothing is fetched, and the page's own security
policy forbids it.

Whole are the thumbnails, the outputs and every number of the chosen heads; of the other heads the page has the weights,
rounded. What is rounded says so, and what is not there says how to get it.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attnviz import locale
from attnviz.trace import AttentionSite, Trace
from attnviz.view import STATIC
from attnviz.view.modules import joined
from attnviz.view.parts import Part, Rounding, deflated, rounded_weights
from attnviz.view.payload import Stage, bundle, overview, pack, proof, stages_of
from attnviz.view.texts import TERMS, texts

__all__ = ["Shown", "page_of", "show", "to_html"]

Heads = Iterable[tuple[str | int, int]] | Literal["all"] | None

BOOT = "export/boot.js"
PAGE_STYLE = "export/standalone.css"
ROUNDINGS = (Rounding(10_000, 4), Rounding(5_000, 4), Rounding(2_000, 4), Rounding(1_000, 3))
ROUNDED_LIMIT = 15_000_000  # letters that all rounded weights may take; the finest rounding that fits is taken
MATRIX_LIMIT = 2**17  # bytes of a head's share of W_Q, W_K, W_V or W_O; a page leaves out larger ones
TITLE_CHARS = 60
NAMED = 3  # heads that the page's note names


def to_html(
    trace: Trace, path: str | Path, *, heads: Heads = None, lang: str = locale.DEFAULT, title: str | None = None
) -> Path:
    """Write the interactive view of a trace as one HTML file that opens in any current browser, without a network.

    The chosen heads come with all their numbers, as computed (float32), but for W_Q, W_K, W_V and W_O of wide models.
    Of the other heads come the weights, rounded to multiples of 1/10,000; in a file that would grow above 15 MB by it,
    of 1/5,000, 1/2,000 or 1/1,000. The page says so wherever it shows them.

    Args:
        path: path of the file; one that is there is replaced.
        heads: those with all their numbers, as (name of the site or index of the layer, head); the page opens with the
            first. "all": every head, which takes much room. None: the first head of the first site.
        lang: language of the page, "en" or "zh".
        title: title of the page; the model's and the text where there is none.

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
    page = page_of(trace, heads, lang, title)
    path = Path(path)
    path.write_text(page, "utf-8", newline="\n")
    return path


@dataclass(frozen=True)
class Shown:
    """A view that notebooks display: see `show`.

    Attributes:
        page: the whole page, as `to_html` writes it.
        height: height of the frame it is shown in, in CSS pixels.
        title: title for people who hear the page.
    """

    page: str = field(repr=False)
    height: int
    title: str

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        style = f"display: block; width: 100%; height: {self.height}px; border: 0"
        return (
            f'<iframe title="{html.escape(self.title)}" style="{style}" allow="clipboard-write" '
            f'srcdoc="{html.escape(self.page)}"></iframe>'
        )


def show(
    trace: Trace, *, heads: Heads = None, lang: str = locale.DEFAULT, title: str | None = None, height: int = 860
) -> Shown:
    """Return the interactive view of a trace for a notebook: make it the last value of a cell. It needs no network.

    The whole page becomes part of the notebook: some MB with a model of GPT-2's size, where `to_html` may be better.

    Args:
        heads: see `to_html`.
        lang: see `to_html`.
        title: see `to_html`.
        height: height of the frame, in CSS pixels; what is longer scrolls inside of it.

    Raises:
        ValueError: there is no such head, no such language, or the height is not above 0.

    Example:
        >>> import attnviz
        >>> from attnviz.view.standalone import show
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> show(trace, height=600)
        Shown(height=600, title='Reverse a sequence · g f e d c')
    """
    if height <= 0:
        raise ValueError(f"height is {height}; it must be above 0 CSS pixels")
    return Shown(page_of(trace, heads, lang, title), height, _title(trace, lang, title))


def _chosen(trace: Trace, heads: Heads) -> list[tuple[AttentionSite, int]]:
    """Return the heads that come whole, each once, in the order given."""
    if heads is None:
        return [(trace.sites[0], 0)]
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
) -> str:
    """Return the page; `asked` and `truth` are what the task of the model knows of its answer, see `overview`."""
    if lang not in locale.LANGUAGES:
        raise ValueError(f"no language {lang!r}; there are {', '.join(locale.LANGUAGES)}")
    chosen = _chosen(trace, heads)
    numbers = _Numbers(trace, chosen, lang, asked, truth)
    modules = joined({"open": ("export/standalone.js", "open")})
    # only a script with this mark runs: whatever a token may contain, it cannot know it; the same page has the same
    nonce = hashlib.sha256(repr((trace.text, trace.target, numbers.parts)).encode()).hexdigest()[:32]
    policy = f"default-src 'none'; script-src 'nonce-{nonce}' blob:; style-src 'unsafe-inline'; img-src data: blob:"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{lang}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="generator" content="attnviz">',
            f"<title>{html.escape(_title(trace, lang, title))}</title>",
            f"<style>\n{_inside(_static(PAGE_STYLE), 'style')}</style>",
            "</head>",
            "<body>",
            _heading(trace, lang, title, numbers.note),
            '<main id="attnviz"></main>',
            f'<p class="page-failed" id="attnviz-failed" hidden>{_say(lang, "standalone.failed")}</p>',
            f'<noscript><p class="page-failed">{_say(lang, "standalone.no_script")}</p></noscript>',
            f'<script type="application/json" id="attnviz-file">{_json(numbers.index)}</script>',
            *(_part(name, part) for name, part in numbers.parts.items()),
            f'<script type="text/plain" id="attnviz-modules">{deflated(modules.encode()).text}</script>',
            f'<script nonce="{nonce}">\n{_inside(_static(BOOT), "script")}</script>',
            "</body>",
            "</html>",
            "",
        ]
    )


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _inside(source: str, element: str) -> str:
    r"""A script or style sheet that cannot end its element: in a string or a comment, \/ means / and \! means !."""
    return re.sub(rf"<(?=/{element}|!--)", r"<\\", source, flags=re.IGNORECASE)


def _json(value: Any) -> str:
    """JSON without a letter that means something in HTML."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _part(name: str, part: Part) -> str:
    return f'<script type="text/plain" data-part="{html.escape(name)}" data-planes="{part.planes}">{part.text}</script>'


def _say(lang: str, key: str, **params: object) -> str:
    return html.escape(locale.t(lang, key, **params))


def _heading(trace: Trace, lang: str, title: str | None, note: str) -> str:
    """Model, text and target, and what the numbers of the page are."""
    facts = trace.model.facts
    architecture = f"page.{facts.architecture}"
    kind = facts.kind or (locale.t(lang, architecture) if locale.has(lang, architecture) else "")
    sizes = [kind, locale.t(lang, "standalone.parameters", n=f"{facts.n_parameters:,}")]
    rows = "".join(
        f"<dt>{_say(lang, key)}</dt><dd><bdi>{html.escape(_visible(text))}</bdi></dd>"
        for key, text in _texts(trace)
        if text
    )
    return (
        f'<header class="page-head"><h1>{html.escape(title or _model_title(trace, lang))}</h1>'
        f'<p class="page-facts">{html.escape(" · ".join(filter(None, sizes)))}</p>'
        f'<dl class="page-texts">{rows}</dl><p class="page-note">{html.escape(note)}</p></header>'
    )


def _texts(trace: Trace) -> list[tuple[str, str]]:
    """Return the texts the model read, each with the message that names it."""
    if trace.target is None:
        return [("standalone.text", trace.text)]
    if trace.source is None:
        return [("standalone.first", trace.text), ("standalone.second", trace.target)]
    target = "standalone.target_written" if trace.target_generated else "standalone.target"
    return [("standalone.source", trace.text), (target, trace.target)]


def _model_title(trace: Trace, lang: str) -> str:
    facts = trace.model.facts
    key = f"zoo.{facts.name}.title"
    return locale.t(lang, key) if locale.has(lang, key) else facts.title or facts.name


def _title(trace: Trace, lang: str, title: str | None) -> str:
    text = " ".join(_visible(trace.text).split())
    short = text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
    return title or " · ".join(filter(None, [_model_title(trace, lang), short]))


def _visible(text: str) -> str:
    """Control characters but for line breaks and tabs as the pictures that Unicode has for them."""
    return "".join(chr(0x2400 + ord(c)) if ord(c) < 0x20 and c not in "\n\t" else c for c in text)


class _Numbers:
    """The numbers of a page.

    Attributes:
        parts: by name: "overview"; `<site>/<head>` for all of a chosen head; `<site>` for the weights of its others.
        index: what the page needs to know of them.
        note: what they are, for people.
    """

    def __init__(
        self,
        trace: Trace,
        chosen: list[tuple[AttentionSite, int]],
        lang: str,
        asked: Sequence[int],
        truth: Sequence[str | None],
    ) -> None:
        first, head = chosen[0]
        choice = {"site": trace.sites.index(first), "head": head, "query": None, "key": None, "locked": False}
        picture = overview(trace, trace_id="file", choice=choice, lang=lang, asked=asked, truth=truth)
        header, arrays = _unpack(picture)
        shared = {path: array for path, array in arrays.items() if not path.startswith(f"{first.name}/")}
        self.parts = {"overview": deflated(pack(header, shared))}
        whole: dict[str, dict[int, list[str]]] = {}
        for site, index in chosen:
            payload = bundle(trace, site.name, [index], _stages(site))
            self.parts[f"{site.name}/{index}"] = deflated(payload, planes=4)
            whole.setdefault(site.name, {})[index] = [path.rsplit("/", 1)[1] for path in _unpack(payload)[1]]
        others = {s.name: [h for h in range(s.n_heads) if h not in whole.get(s.name, {})] for s in trace.sites}
        others = {name: heads for name, heads in others.items() if heads}
        rounding = _round(trace, others, self.parts) if others else ROUNDINGS[0]
        self.index = {
            "whole": whole,
            "rounded": {s.name: _rounded(s, others[s.name]) for s in trace.sites if s.name in others},
            "levels": rounding.levels,
            "decimals": rounding.decimals,
            "proof": proof(trace),
            "texts": {**texts(lang), "strings": locale.strings(lang, "view.", *TERMS)},
        }
        self.note = _note(trace, chosen, others, rounding, lang)


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
    names = "; ".join(_head_title(lang, site, head) for site, head in chosen[:NAMED])
    if len(chosen) > NAMED:
        names = locale.t(lang, "standalone.more", heads=names, n=len(chosen) - NAMED)
    step = f"{rounding.step:.{rounding.decimals}f}"
    return locale.t(lang, "standalone.note", heads=names, n=count, step=step)


def _head_title(lang: str, site: AttentionSite, head: int) -> str:
    """Name a head as the view does."""
    stack = locale.t(lang, f"view.frame.stack.{site.stack}.{site.kind}")
    key = "view.frame.title" if site.part is None else "view.frame.title.part"
    return locale.t(lang, key, stack=stack, layer=site.layer, part=site.part, head=head)
