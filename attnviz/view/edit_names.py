"""Edits in words: what each changes, what to look at under it, and what it does not mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attnviz import locale
from attnviz.edits.text import EVERY, PART, pairs_of, pairs_text, parts_of
from attnviz.trace import Trace

__all__ = ["OF_ALL_LAYERS", "about_edit", "name_of_edit"]

OF_ALL_LAYERS = ("no-mask", "no-scale")
"""Edits that are one for people where they stand side by side for several layers."""

Say = Callable[..., str]
"""Return a message of the catalogue, its names filled in."""

Quote = Callable[[str, int], str]
"""Return a text that a person typed, cut to a length, as the place where it stands shows it."""


def about_edit(edit: str, say: Say) -> str:
    """Say what to look at under an edit, where that is known, and what it does not mean."""
    kind = _kind(edit)
    look = f"view.whatif.look.{kind}"
    return locale.sentences(
        map(say, [*([look] if locale.has(locale.DEFAULT, look) else []), f"view.whatif.means.{kind}"])
    )


def name_of_edit(edit: str, trace: Trace, say: Say, quote: Quote) -> str:
    """Return an edit in words, or several of the same kind that stand side by side."""
    first, *others = edit.split(PART)
    word, fields = parts_of(first)
    if word == "no-positions":
        return say("whatif.name.no-positions")
    if word in OF_ALL_LAYERS and others:
        return say(f"whatif.name.{word}.all", n=len(others) + 1)
    place = place_in_words(fields[0], fields[1] if word != "stream" else EVERY, say)
    match word, fields[2:]:
        case "cut", [query, key]:
            tokens = _tokens(trace, fields[0], query, key, quote)
            return say(f"whatif.name.cut.{_cut(query, key)}", place=place, **tokens)
        case "temperature" | "scale", [value]:
            return say(f"whatif.name.{word}", place=place, value=value)
        case ("patch", [pairs, text, *_]):
            return say("whatif.name.patch", place=place, pairs=_pairs(pairs), text=quote(text, 24))
        case ("stream", [text, *_]):
            return say("whatif.name.stream", place=place, pairs=_pairs(fields[1]), text=quote(text, 24))
        case _:
            return say(f"whatif.name.{_kind(first)}", place=place)


def place_in_words(site: str, head: str, say: Say) -> str:
    """Return a head, or all of a layer, as the view calls it."""
    stack, layer, *kind = site.split(".")
    name = f"view.frame.stack.{stack}.{kind[0] if kind else 'self'}"
    named = say(name) if locale.has(locale.DEFAULT, name) else site
    key = "whatif.layer" if head == EVERY else "view.frame.title"
    return say(key, stack=named, layer=layer, head=head)


def _kind(edit: str) -> str:
    """Return what an edit is called in the catalogue."""
    word, fields = parts_of(edit.split(PART)[0])
    return f"{word}-mean" if word == "off" and len(fields) > 2 else word


def _cut(query: str, key: str) -> str:
    return "key" if query == EVERY else "query" if key == EVERY else "edge"


def _tokens(trace: Trace, site: str, query: str, key: str, quote: Quote) -> Mapping[str, str]:
    """Return the tokens of a cut."""
    found = next((each for each in trace.sites if each.name == site), None)

    def token(position: str, sequence: str) -> str:
        labels = trace.sequences[sequence].labels if sequence else ()
        known = position != EVERY and int(position) < len(labels)
        return f"{quote(labels[int(position)], 16)} #{position}" if known else f"#{position}"

    return {"row": token(query, found.queries if found else ""), "column": token(key, found.keys if found else "")}


def _pairs(text: str) -> str:
    """Return pairs of positions as people read them: 0–4 ← 2–6."""
    here, there = pairs_of(text)
    return pairs_text(here, there).replace("=", "←").replace(",", " ").replace("-", "–")
