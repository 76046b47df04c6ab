"""The outputs that a model would give if it ended after each of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from attnviz.errors import ModelFailed, NotSplit, OwnFault
from attnviz.errors.base import Why
from attnviz.trace.calls import BlockPlace, Blocks, answering, input_of, with_stream
from attnviz.trace.compare import difference
from attnviz.trace.passes import EditablePass, ForwardPass
from attnviz.trace.rows import Answered, row_of

__all__ = ["Lens", "logits_behind_blocks", "look_through"]

Progress = Callable[[int, int], None]
SAME = 1e-2  # how far the logits of the model may be from those behind its last block: bfloat16 rounds


class Lens(NamedTuple):
    """Most probable outputs at every position, from the embeddings (row 0) and from the stream behind each block.

    Attributes:
        ids: ids of the outputs (layers + 1, T, k), the most probable first.
        probabilities: softmax of their logits, likewise.
    """

    ids: Tensor
    probabilities: Tensor


class Seen(Answered, Protocol):
    """A trace, as far as the lens looks at it."""

    @property
    def main(self) -> str:
        """Name of the sequence that the model reads last."""

    @property
    def forward_pass(self) -> ForwardPass:
        """Its forward pass."""


def look_through(trace: Seen, k: int, progress: Progress = lambda done, total: None) -> Lens:
    """Return the lens of a trace; see `Trace.lens`.

    Args:
        progress: is told after each row how many there are, of how many.
    """
    if k < 1:
        raise ValueError(f"k is {k}; there must be at least 1 output to show")
    row_of(trace, 0)
    name = trace.model.facts.name
    if not hasattr(trace.forward_pass, "streams"):
        raise NotSplit(name, Why("split-no-model"))
    ran = cast(EditablePass, trace.forward_pass)
    kept = ran.streams()
    if not any(place.stack == trace.main for place in kept):
        raise NotSplit(name, Why("split-no-blocks"))
    tops, last = [], torch.empty(0)
    total = 1 + sum(place.stack == trace.main for place in kept)
    try:
        for last in _behind_blocks(ran, trace.main, kept):  # one at a time: a large vocabulary takes much memory
            tops.append(last.float().softmax(-1).topk(min(k, last.shape[-1])))
            progress(len(tops), total)
    except (ModelFailed, OwnFault, RuntimeError, ValueError, IndexError) as error:  # as Swin, whose streams shrink
        raise NotSplit(name, Why("split-no-blocks")) from error
    if not difference(trace.logits, last) <= SAME:
        raise NotSplit(name, Why("split-no-blocks"))
    return Lens(torch.stack([top.indices for top in tops]), torch.stack([top.values for top in tops]))


def _behind_blocks(ran: EditablePass, stack: str, kept: Mapping[BlockPlace, Any]) -> Iterator[Tensor]:
    """Yield the logits (T, n) behind the embeddings and each block."""

    def run() -> Tensor:
        with torch.inference_mode():
            logits = ran.logits_of([()], slice(None), None, {})[ran.row]
        return logits if logits.ndim == 2 else logits[None]

    return logits_behind_blocks(ran.blocks, stack, kept, run)


def logits_behind_blocks(
    blocks: Blocks, stack: str, kept: Mapping[BlockPlace, Any], run: Callable[[], Tensor]
) -> Iterator[Tensor]:
    """Yield the logits that the stream before the first block, and behind each block of a stack, would give.

    The model itself runs, and its blocks give what was kept, but for the last one, which gives that stream: whatever
    the model does after its blocks, it does to it.

    Args:
        blocks: blocks of the model.
        kept: what each block gives.
        run: runs the model, and returns its logits.

    Source:
        nostalgebraist 2020, "interpreting GPT: the logit lens".
    """
    places = [place for place in kept if place.stack == stack]
    last, begun = places[-1], list[Tensor]()

    def ending_with(stream: Tensor | None) -> Tensor:
        def answer(place: BlockPlace, run: Callable[[], Any]) -> Any:
            if place.stack != stack:
                return run()  # some models read more of another stack than its last stream
            if place == places[0] and not begun:
                begun.append(input_of(run))
            return kept[place] if stream is None or place != last else with_stream(kept[place], stream)

        with answering(blocks, answer):
            return run()

    whole = ending_with(None)
    yield ending_with(begun[0])
    for place in places[:-1]:
        made = kept[place]
        yield ending_with(made[0] if isinstance(made, tuple | list) else made)
    yield whole
