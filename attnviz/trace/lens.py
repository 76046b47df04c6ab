"""The outputs that a model would give if it ended after each of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from attnviz.trace.calls import BlockPlace, Blocks, answering, input_of, with_stream

__all__ = ["Lens", "logits_behind_blocks"]


class Lens(NamedTuple):
    """Most probable outputs at every position, from the embeddings (row 0) and from the stream behind each block.

    Attributes:
        ids: ids of the outputs (layers + 1, T, k), the most probable first.
        probabilities: softmax of their logits, likewise.
    """

    ids: Tensor
    probabilities: Tensor


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
