"""Forward passes behind a trace: what they can be asked for once it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor

from attnviz.trace.calls import BlockPlace, Blocks
from attnviz.trace.edit import Edit, Rows
from attnviz.trace.site import AttentionSite
from attnviz.trace.weights import HeldLayer
from attnviz.why.written import Written

__all__ = ["EditablePass", "ForwardPass", "LayerInputs", "ProofEntry"]


class ProofEntry(NamedTuple):
    """The largest error of one site: recomputed from its q, k, v against what the model itself computed.

    Attributes:
        context_error: max |weights(h) @ v - the model's own context| over all heads, queries and dimensions.
        output_error: max |sum over heads of output(h) + b_O - the model's own attention output|.
        limit: the largest error that the rounding of the model's numbers explains, be they float32 or bfloat16.

    Errors of Hugging Face models are in units of the largest number of the model's own, where that is above 1.
    """

    name: str
    context_error: float
    output_error: float
    limit: float = 1e-4

    @property
    def max_abs_error(self) -> float:
        """The larger of the two; not a number where one of them is none."""
        return float(np.max([self.context_error, self.output_error]))

    @property
    def exact(self) -> bool:
        """Whether rounding explains the errors."""
        return self.max_abs_error <= self.limit


class LayerInputs(NamedTuple):
    """Inputs of one attention layer: x (Tq, d_model) for the queries, memory (Tk, d_model) for keys and values."""

    x: Tensor
    memory: Tensor


class ForwardPass(Protocol):
    """The forward pass behind a trace, which can be asked for what was not kept; most questions run the model again."""

    @property
    def nbytes(self) -> int:
        """Memory held beside q, k and v, in bytes."""

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """Scores of all outputs, so many rows at a time (rows, n), or all at once; one row for a label of the whole."""

    def inputs(self) -> Mapping[str, LayerInputs]:
        """Return the inputs of each attention site by its name; those that are unknown are left out."""

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """Return the errors of the sites against the model's own numbers."""


class EditablePass(ForwardPass, Protocol):
    """The forward pass of a model, which can be run again with other edits than those of its trace."""

    @property
    def row(self) -> int:
        """Row of the batch that the trace is of."""

    def under(self, edits: Sequence[Edit]) -> tuple[EditablePass, Sequence[AttentionSite]]:
        """Run the model again on the same input, with these edits alone; return the pass and its sites.

        Raises:
            EditError: the model has not what an edit changes.
        """

    @property
    def blocks(self) -> Blocks:
        """Blocks of the model that can be told."""

    def block_of(self, site: str) -> BlockPlace | None:
        """Return the block that a site is part of; None where that cannot be told."""

    def written(self) -> Written:
        """Run the model again, and return what its parts wrote."""

    def ended(self) -> tuple[HeldLayer, Tensor] | None:
        """Return the unembedding, and what it read (T, d_model); None where there is no single one."""

    def streams(self) -> dict[BlockPlace, Any]:
        """Run the model again, and return what each block gives, in the order in which they run."""

    def logits_of(
        self, rows: Rows, at: int | slice, begin: BlockPlace | None, kept: Mapping[BlockPlace, Any]
    ) -> Tensor:
        """Run the model on a batch of the same text, each row with more edits than those of the trace.

        Args:
            rows: the edits of each.
            at: row of the logits, or several.
            begin: block at which to begin; None: at the model's own beginning.
            kept: what the blocks before it give, as `streams` returns it.

        Returns:
            (rows, n) scores of the outputs.
        """
