"""All heads of a model over many texts as one HTML file without a network: a table to sort and filter, and examples.

The page is in both languages. Its links open an example in the Explorer of a server.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from attnviz import locale
from attnviz.heads import EFFECT, HITS, LABELS, LIFT, Head, Heads, Label, Reading, Text
from attnviz.models.facts import ModelFacts
from attnviz.view.page import check_language, document, model_title

__all__ = ["atlas_page", "values_of"]

LIKE = 5  # heads that are named as like another one
WORDS = ("heads.", "atlas.", "view.frame.stack.", "view.frame.title", "watch.short_head")  # keys of its texts begin so


def atlas_page(
    heads: Heads,
    texts: Sequence[Text],
    facts: ModelFacts,
    *,
    name: str,
    server: str,
    lang: str = locale.DEFAULT,
    lost: Sequence[tuple[int, int]] = (),
) -> str:
    """Return the page.

    Args:
        texts: texts that the heads were found on.
        facts: facts of the model.
        name: name of the model, as the Explorer's address has it.
        server: address of a server, such as "http://localhost:8501".
        lang: language that it begins in.
        lost: texts (from, to) that were not counted.

    Raises:
        ValueError: there is no such language.
    """
    check_language(lang)
    shown = {
        index: {
            "sequences": labels,
            "link": f"{server.rstrip('/')}/explorer?{_query(name, texts[index])}",
            "text": texts[index].text,
        }
        for index, labels in heads.texts.items()
    }
    told = {
        "lang": lang,
        "languages": dict(locale.LANGUAGES),
        "strings": {each: locale.strings(each, *WORDS) for each in locale.LANGUAGES},
        "titles": {each: model_title(facts, each) for each in locale.LANGUAGES},
        "server": server,
        "rule": {"lift": round(100 * LIFT), "hits": round(100 * HITS), "effect": EFFECT},
        "counts": {"heads": len(heads), "texts": heads.n_texts, "tokens": heads.n_tokens},
        "lost": [list(each) for each in lost],
        "texts": shown,
        **values_of(heads),
    }
    title = locale.t(lang, "atlas.title", model=model_title(facts, lang))
    return document(lang, title, "", "atlas/page.js", told, repr(told))


def _query(name: str, text: Text) -> str:
    target = {} if text.target is None else {"target": text.target}
    return urlencode({"model": name, "text": text.text, **target})


def values_of(heads: Heads) -> dict[str, Any]:
    """Return what is known of the heads, as JSON holds it: "ways", the names of labels, and "heads", in their order.

    Numbers that were not measured are None.
    """
    index = {id(head): at for at, head in enumerate(heads)}
    rows = [
        {**_head(head), "like": [index[id(like)] for like in heads.like(head.site, head.head, LIKE)]} for head in heads
    ]
    return {"ways": list(LABELS), "heads": rows}


def _head(head: Head) -> dict[str, Any]:
    numbers = {name: _number(getattr(head, name)) for name in ("entropy", "distance")}
    even = {name: _number(getattr(head, f"{name}_chance")) for name in ("entropy", "distance")}
    return {
        "site": head.site,
        "head": head.head,
        **head.place._asdict(),
        "label": head.label,
        "labels": [_label(label) for label in head.labels],
        **numbers,
        "even": even,
        "readings": {name: _reading(reading) for name, reading in head.readings.items()},
        "examples": [[example.text, example.mass, example.marks] for example in head.examples],
    }


def _label(label: Label) -> dict[str, Any]:
    effect = None if label.effect is None else label.effect._asdict()
    return {"name": label.name, "state": label.state, "effect": effect}


def _reading(reading: Reading) -> dict[str, Any]:
    names = ("mass", "chance", "hits", "lift")
    return {**{name: _number(getattr(reading, name)) for name in names}, "n": reading.n, "distance": reading.distance}


def _number(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
