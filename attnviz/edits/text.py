"""Edits as short text, fit for an address, a command line and the key of a trace.

    off:SITE:HEAD                   off:SITE:HEAD:mean is the running mean
    cut:SITE:HEAD:QUERY:KEY         * for every head, query or key
    temperature:SITE:HEAD:VALUE
    uniform:SITE:HEAD
    scale:SITE:HEAD:FACTOR
    patch:SITE:HEAD:PAIRS:TEXT      PAIRS of positions here and there, such as 3 or 3=2 or 0-4=2,7; TEXT:TARGET
    stream:STACK.LAYER:PAIRS:TEXT   the same of the residual stream behind a block
    no-mask:SITE:HEAD
    no-scale:SITE:HEAD
    no-positions

Several are parted by ";". In a text, % : ; and line breaks are written as in an address.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, unquote

from attnviz.edits import edit as made
from attnviz.errors import EditMisfit, EditUnreadable
from attnviz.errors.base import Why
from attnviz.trace import Trace
from attnviz.trace.edit import Edit, NoPositions
from attnviz.trace.site import SiteEdit

__all__ = [
    "EVERY",
    "PART",
    "SourceOf",
    "pairs_of",
    "pairs_text",
    "read_edit",
    "read_edits",
    "write_edit",
    "write_edits",
]

PART = ";"
EVERY = "*"

SourceOf = Callable[[str, str], Trace]
"""Gives the trace of the text, and of the target or "", that a patch comes from."""

FORMS = {
    "off": r"SITE:HEAD(:mean)?",
    "cut": r"SITE:ANY:ANY:ANY",
    "temperature": r"SITE:ANY:NUMBER",
    "uniform": r"SITE:HEAD",
    "scale": r"SITE:HEAD:NUMBER",
    "patch": r"SITE:HEAD:PAIRS:TEXT(:TEXT)?",
    "stream": r"BLOCK:PAIRS:TEXT(:TEXT)?",
    "no-mask": r"SITE:ANY",
    "no-scale": r"SITE:ANY",
    "no-positions": r"",
}
RUN = r"\d{1,6}(-\d{1,6})?(=\d{1,6})?"
FIELDS = {
    "SITE": r"[^:;]+",
    "BLOCK": r"\w+\.\d{1,4}",
    "HEAD": r"\d{1,4}",
    "ANY": r"(\d{1,6}|\*)",
    "NUMBER": r"-?[\d.]+(e[+-]?\d+)?",
    "PAIRS": rf"{RUN}(,{RUN})*",
    "TEXT": r"[^:;]*",
}
PATTERNS = {
    word: re.compile(re.sub("[A-Z]+", lambda found: FIELDS[found[0]], form), re.ASCII) for word, form in FORMS.items()
}
MOST_PAIRS = 2**16


def read_edits(text: str, source: SourceOf | None = None) -> list[Edit]:
    """Return the edits of a text; see `attnviz.edits.text` for how they are written.

    Args:
        source: gives the trace that a patch comes from; None: patches cannot be read.

    Raises:
        EditError: an edit is not written as it should be, or means nothing; the message says how it is written.

    Example:
        >>> [edit.site for edit in read_edits("off:decoder.1.self:0;cut:decoder.0.self:*:5:2")]
        ['decoder.1.self', 'decoder.0.self']
    """
    return [read_edit(part, source) for part in text.split(PART) if part]


def write_edits(edits: Sequence[Edit]) -> str:
    """Return edits as text, the same for the same edits.

    Raises:
        EditMisfit: one has no short text: weights given as a matrix, or a patch whose source is more than a text.

    Example:
        >>> from attnviz import edits
        >>> write_edits([edits.head_off("decoder.1.self", 0), edits.cut("decoder.0.self", key=2)])
        'off:decoder.1.self:0;cut:decoder.0.self:*:*:2'
    """
    return PART.join(map(write_edit, edits))


def read_edit(text: str, source: SourceOf | None = None) -> Edit:
    """Return one edit of a text; see `read_edits`."""
    match parts_of(text):
        case "off", [site, head, *mean]:
            return made.head_off(site, int(head), "running_mean" if mean else "zero")
        case "cut", [site, head, query, key]:
            return made.cut(site, place_of(query), place_of(key), place_of(head))
        case "temperature", [site, head, value]:
            return made.temperature(site, place_of(head), _number(text, value))
        case "uniform", [site, head]:
            return made.set_weights(site, int(head), "uniform")
        case "scale", [site, head, value]:
            return made.scale_head(site, int(head), _number(text, value))
        case "patch", [site, head, pairs, *texts]:
            here, there = pairs_of(pairs)
            return made.patch(site, int(head), here, _source(text, source, texts), there)
        case "stream", [block, pairs, *texts]:
            (stack, _, layer), (here, there) = block.rpartition("."), pairs_of(pairs)
            return made.patch_stream(int(layer), here, _source(text, source, texts), there, stack)
        case "no-mask", [site, head]:
            return made.no_mask(site, place_of(head))
        case "no-scale", [site, head]:
            return made.no_scale(site, place_of(head))
        case _:
            return made.no_positions()


def parts_of(text: str) -> tuple[str, list[str]]:
    """Return the word of an edit and its fields, as they are written.

    Raises:
        EditUnreadable: the edit is not written as it should be.

    Example:
        >>> parts_of("cut:decoder.0.self:*:5:2")
        ('cut', ['decoder.0.self', '*', '5', '2'])
    """
    word, _, rest = text.partition(":")
    if word not in PATTERNS:
        raise EditUnreadable(text, Why("edit-word", known=", ".join(PATTERNS)))
    if not PATTERNS[word].fullmatch(rest):
        raise EditUnreadable(text, Why("edit-form", form=_form(word)))
    return word, rest.split(":")


def canonical_edit(text: str) -> str:
    """Return an edit as `write_edits` writes it, without a model.

    Raises:
        EditError: it is not written as it should be, or means nothing.

    Example:
        >>> canonical_edit("temperature:decoder.1.self:00:0.50")
        'temperature:decoder.1.self:0:0.5'
    """
    match parts_of(text):
        case "patch", [site, head, pairs, *texts]:
            return ":".join(["patch", site, str(int(head)), pairs_text(*pairs_of(pairs)), *texts])
        case "stream", [block, pairs, *texts]:
            return ":".join(["stream", block, pairs_text(*pairs_of(pairs)), *texts])
        case _:
            return write_edit(read_edit(text))


def write_edit(edit: Edit) -> str:
    """Return one edit as text; see `write_edits`."""
    return ":".join(_fields(edit))


def _fields(edit: Edit) -> list[str]:
    match edit:
        case made.HeadOff():
            return ["off", *_head(edit), *(["mean"] if edit.baseline == "running_mean" else [])]
        case made.Cut():
            return ["cut", *_head(edit), *(EVERY if at is None else str(at) for at in (edit.query, edit.key))]
        case made.Temperature():
            return ["temperature", *_head(edit), _decimal(edit.value)]
        case made.SetWeights(weights="uniform"):
            return ["uniform", *_head(edit)]
        case made.ScaleHead():
            return ["scale", *_head(edit), _decimal(edit.factor)]
        case made.Patch(source=made.Source() as source):
            return ["patch", *_head(edit), *_patched(edit.positions, source)]
        case made.PatchStream(source=made.Source() as source):
            return ["stream", f"{edit.stack}.{edit.layer}", *_patched(edit.positions, source)]
        case made.NoMask():
            return ["no-mask", *_head(edit)]
        case made.NoScale():
            return ["no-scale", *_head(edit)]
        case NoPositions():
            return ["no-positions"]
    raise EditMisfit("write_edits", Why("edit-no-text", edit=type(edit).__name__))


def _head(edit: SiteEdit) -> list[str]:
    return [edit.site, EVERY if edit.head is None else str(edit.head)]


def _patched(positions: Sequence[int], source: made.Source) -> list[str]:
    texts = [source.text, *([source.target] if source.target else [])]
    return [pairs_text(positions, source.positions), *map(escaped, texts)]


def pairs_of(text: str) -> tuple[list[int], list[int]]:
    """Return positions and those of the source.

    Raises:
        EditUnreadable: a run has no position, or there are too many.

    Example:
        >>> pairs_of("0-2=4,7")
        ([0, 1, 2, 7], [4, 5, 6, 7])
    """
    here: list[int] = []
    there: list[int] = []
    for run in text.split(","):
        span, _, start = run.partition("=")
        first, _, last = span.partition("-")
        positions = range(int(first), int(last or first) + 1)
        if not positions or len(here) + len(positions) > MOST_PAIRS:
            raise EditUnreadable(text, Why("edit-pairs", pairs=run))
        here += positions
        there += [position - int(first) + int(start or first) for position in positions]
    return here, there


def pairs_text(here: Sequence[int], there: Sequence[int]) -> str:
    """Return pairs of positions as text, neighbours as one run.

    Example:
        >>> pairs_text([0, 1, 2, 7], [4, 5, 6, 7])
        '0-2=4,7'
    """
    return ",".join(_run(*run) for run in _runs(here, there))


def _runs(here: Sequence[int], there: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield first and last position of each run, and the first one in the source."""
    start = 0
    for end in range(1, len(here) + 1):
        if end == len(here) or (here[end] - here[end - 1], there[end] - there[end - 1]) != (1, 1):
            yield here[start], here[end - 1], there[start]
            start = end


def _run(first: int, last: int, source: int) -> str:
    return f"{first}{f'-{last}' if last > first else ''}{f'={source}' if source != first else ''}"


def _source(text: str, source: SourceOf | None, texts: Sequence[str]) -> Trace:
    if source is None:
        raise EditUnreadable(text, Why("edit-source"))
    return source(unquote(texts[0]), unquote("".join(texts[1:])))


def place_of(text: str) -> int | None:
    """Return a head or a position; None: all of them."""
    return None if text == EVERY else int(text)


def _number(edit: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise EditUnreadable(edit, Why("edit-number", given=text))
    return value


def _decimal(value: float) -> str:
    return repr(value).removesuffix(".0")


def escaped(text: str) -> str:
    """Return the text of a source as an edit has it."""
    return re.sub(r"[%:;\s]", lambda found: " " if found[0] == " " else quote(found[0]), text)


def _form(word: str) -> str:
    """Return how an edit is written, as people read it."""
    form = re.sub(r"\((.+?)\)\?", r"[\1]", FORMS[word])
    for name, shown in {"SITE:ANY:ANY:ANY": "SITE:HEAD:QUERY:KEY", "ANY": "HEAD"}.items():
        form = form.replace(name, shown)
    return f"{word}:{form}" if form else word
