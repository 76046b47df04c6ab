"""Facts shown wherever a model is named."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelFacts"]


@dataclass(frozen=True)
class ModelFacts:
    """A model in a few words.

    Attributes:
        name: under which it is opened.
        task: task that it was trained on; "" when unknown.
        architecture: "encoder", "decoder", "encoder-decoder" or "two encoders" (one for text, one for images).
        n_parameters: number of trained numbers.
        max_len: tokens that fit into a text; None when nothing bounds them.
        positions: how it knows where a token stands; "" when it does not say.
        norm: "pre", "post" or "".
        cell: "rnn", "lstm" or "gru" of a recurrent network, "" for others.
        reach: positions before and after its own that an output of a convolutional network depends on; None for others.
        kind: class of its network, such as "GPT2LMHeadModel"; "" for those of attnviz.
    """

    name: str
    title: str
    task: str
    architecture: str
    n_parameters: int
    max_len: int | None
    positions: str = ""
    norm: str = ""
    cell: str = ""
    reach: tuple[int, int] | None = None
    kind: str = ""
