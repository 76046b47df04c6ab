"""The page around the view, as one HTML text that needs no network.

It holds the modules of the view, joined (`attnviz.view.modules`), and what these need. A short script
(`static/export/boot.js`) inflates and starts them. Nothing is fetched, and the page's own security policy forbids it.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping

from attnviz import locale
from attnviz.models.facts import ModelFacts
from attnviz.trace import Trace
from attnviz.view import STATIC
from attnviz.view.chips import in_words
from attnviz.view.modules import joined
from attnviz.view.parts import Part, deflated

__all__ = ["check_language", "described", "document", "model_title", "page", "title_of"]

BOOT = "export/boot.js"
PAGE_STYLE = "export/standalone.css"
TITLE_CHARS = 60


def page(
    trace: Trace,
    lang: str,
    title: str | None,
    note: str,
    entry: str,
    told: object,
    parts: Mapping[str, Part],
    above: str = "",
) -> str:
    """Return the page.

    Args:
        title: title of the page; the model's and the text where there is none.
        note: what the numbers of the page are, for people.
        entry: the module whose `open` is given the document.
        told: what it finds there, as JSON.
        parts: numbers that it finds there, by name.
        above: HTML between heading and view.
    """
    # only a script with this mark runs: whatever a token may contain, it cannot know it; the same page has the same
    mark = repr((trace.text, trace.target, parts))
    heading = _heading(trace, lang, title, note)
    return document(lang, title_of(trace, lang, title), f"{heading}\n{above}", entry, told, mark, parts)


def document(
    lang: str, title: str, above: str, entry: str, told: object, mark: str, parts: Mapping[str, Part] | None = None
) -> str:
    """Return a page of any modules: those of `entry`, whose `open` is given the document, above it some HTML.

    Args:
        told: what it finds there, as JSON.
        mark: what the page is made of: the mark of its scripts comes from it.
        parts: numbers that it finds there, by name.
    """
    modules = joined({"open": (entry, "open")})
    nonce = hashlib.sha256(mark.encode()).hexdigest()[:32]
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
            f"<title>{html.escape(title)}</title>",
            f"<style>\n{_inside(_static(PAGE_STYLE), 'style')}</style>",
            "</head>",
            "<body>",
            above,
            '<main id="attnviz"></main>',
            f'<p class="page-failed" id="attnviz-failed" hidden>{_say(lang, "standalone.failed")}</p>',
            f'<noscript><p class="page-failed">{_say(lang, "standalone.no_script")}</p></noscript>',
            f'<script type="application/json" id="attnviz-file">{_json(told)}</script>',
            *(_part(name, part) for name, part in (parts or {}).items()),
            f'<script type="text/plain" id="attnviz-modules">{deflated(modules.encode()).text}</script>',
            f'<script nonce="{nonce}">\n{_inside(_static(BOOT), "script")}</script>',
            "</body>",
            "</html>",
            "",
        ]
    )


def check_language(lang: str) -> None:
    """See that there is a language.

    Raises:
        ValueError: there is not.
    """
    if lang not in locale.LANGUAGES:
        raise ValueError(f"no language {lang!r}; there are {', '.join(locale.LANGUAGES)}")


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _inside(source: str, element: str) -> str:
    r"""A script or style sheet that cannot end its element: in a string or a comment, \/ means / and \! means !."""
    return re.sub(rf"<(?=/{element}|!--)", r"<\\", source, flags=re.IGNORECASE)


def _json(value: object) -> str:
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
        for key, text in [*_texts(trace), ("standalone.edits", in_words(trace.edits, trace, lang))]
        if text
    )
    return (
        f'<header class="page-head"><h1>{html.escape(title or model_title(trace.model.facts, lang))}</h1>'
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


def model_title(facts: ModelFacts, lang: str) -> str:
    """Return the title of a model in a language."""
    return described(facts.name, "title", lang) or facts.title or facts.name


def described(model: str, part: str, lang: str) -> str:
    """Title or description of a model that ships: its own, or that of the recipe of the same name; "" without any."""
    keys = (f"{kind}.{model}.{part}" for kind in ("zoo", "task"))
    return next((locale.t(lang, key) for key in keys if locale.has(lang, key)), "")


def title_of(trace: Trace, lang: str, title: str | None) -> str:
    """Return a title, or the model's and the beginning of the text where there is none."""
    text = " ".join(_visible(trace.text).split())
    short = text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
    return title or " · ".join(filter(None, [model_title(trace.model.facts, lang), short]))


def _visible(text: str) -> str:
    """Control characters but for line breaks and tabs as the pictures that Unicode has for them."""
    return "".join(chr(0x2400 + ord(c)) if ord(c) < 0x20 and c not in "\n\t" else c for c in text)
