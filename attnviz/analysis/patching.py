"""A patch from a second text that somebody has only typed: which positions of the two belong together."""

from __future__ import annotations

from urllib.parse import unquote

from attnviz.analysis.alignment import equal_blocks
from attnviz.edits.text import EVERY, SourceOf, canonical_edit, pairs_of, pairs_text
from attnviz.errors import EditUnreadable
from attnviz.errors.base import Why
from attnviz.trace import Trace

__all__ = ["with_pairs"]


def with_pairs(edit: str, trace: Trace, source: SourceOf) -> str:
    """Return an edit of the view with the pairs of positions that a patch needs: those of equal blocks of tokens.

    Args:
        edit: as `attnviz.edits.text` writes it, but a patch has "*", or one position, in place of its pairs.
        source: gives the trace that a patch comes from.

    Raises:
        EditUnreadable: it is not written as it should be, or no tokens belong together.
        AttnvizError: whatever the source raises.

    Example:
        >>> import attnviz
        >>> model = attnviz.load_model("zoo/reverse")
        >>> trace = attnviz.trace(model, "g f e d c")
        >>> with_pairs("patch:encoder.0.self:1:*:g f d c", trace, lambda text, target: attnviz.trace(model, text))
        'patch:encoder.0.self:1:0-1,3-5=2:g f d c'
    """
    fields = edit.split(":")
    if fields[0] != "patch" or len(fields) < 5:
        return edit
    _, site, head, asked, *texts = fields
    canonical_edit(":".join(["patch", site, head, "0", *texts]))
    pairs = _aligned(trace, source(unquote(texts[0]), unquote("".join(texts[1:]))), site)
    if asked != EVERY:
        wanted, _ = pairs_of(asked)
        pairs = [pair for pair in pairs if pair[0] in wanted]
    if not pairs:
        raise EditUnreadable(edit, Why("edit-unaligned"))
    return ":".join(["patch", site, head, pairs_text(*zip(*pairs, strict=True)), *texts])


def _aligned(trace: Trace, source: Trace, site: str) -> list[tuple[int, int]]:
    """Return the positions of queries that belong together: all of texts of one length, else those of equal tokens."""
    name = next((each.queries for each in trace.sites if each.name == site), trace.main)
    mine, theirs = (each.sequences[name].labels for each in (trace, source))
    if len(mine) == len(theirs):
        return [(position, position) for position in range(len(mine))]
    blocks = equal_blocks(mine, theirs)
    return [(block.first + n, block.second + n) for block in blocks for n in range(block.size)]
