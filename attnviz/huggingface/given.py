"""Inputs that people make themselves, looked at before a model fails on them in words of its own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from attnviz.errors import EmptyText, InputsDoNotFit, NoRow, TokensOutside

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["check_inputs", "rows_of"]

ROWS = ("input_ids", "inputs_embeds", "input_features", "input_values", "pixel_values", "decoder_input_ids")
"""Inputs of which each row is one of the batch, the surest one first; of others the first one counts."""


def check_inputs(model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int) -> None:
    """See that inputs are tensors that this model takes, and that the row is one of the batch.

    Raises:
        InputsDoNotFit: they are not.
        EmptyText: there is nothing to read.
        TokensOutside: an id for which there is no embedding.
        NoRow: there is no such row.
    """
    parameters = inspect.signature(model.network.forward).parameters
    takes = [name for name in parameters if name not in ("args", "kwargs")]
    takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if not isinstance(inputs, Mapping):
        raise InputsDoNotFit(model.name, f"a mapping from names to tensors is wanted, not {_kind(inputs)}", takes)
    if not inputs:
        raise InputsDoNotFit(model.name, "there are none", takes)
    for name, value in inputs.items():
        if not isinstance(value, Tensor):
            raise InputsDoNotFit(model.name, f"{name} is no tensor but {_kind(value)}", takes)
        if value.ndim == 0:
            raise InputsDoNotFit(model.name, f"{name} is one number, without a batch", takes)
        if name not in takes and not takes_more:
            raise InputsDoNotFit(model.name, f"it knows no {name}", takes)
        if value.numel() == 0:
            raise EmptyText
    rows = rows_of(inputs)
    if not isinstance(row, int) or not 0 <= row < rows:
        raise NoRow(row, rows)
    for name in ("input_ids", "decoder_input_ids"):
        if name in inputs:
            _check_ids(model, name, inputs[name], takes)


def rows_of(inputs: Mapping[str, Tensor]) -> int:
    """Return the size of the batch."""
    first = next((name for name in ROWS if name in inputs), next(iter(inputs)))
    return int(inputs[first].shape[0])


def _check_ids(model: HuggingFaceModel, name: str, ids: Tensor, takes: list[str]) -> None:
    if ids.ndim != 2 or ids.is_floating_point() or ids.is_complex():
        kind = f"{str(ids.dtype).removeprefix('torch.')} {tuple(ids.shape)}"
        raise InputsDoNotFit(model.name, f"{name} is {kind}, not whole numbers (batch, tokens)", takes)
    vocabulary = _vocabulary(model, name)
    outside = ids[(ids < 0) | (ids >= vocabulary)] if vocabulary else ids[:0]
    if outside.numel():
        raise TokensOutside(model.name, int(outside.flatten()[0]), vocabulary - 1)


def _vocabulary(model: HuggingFaceModel, name: str) -> int:
    """Return the number of tokens with an embedding; 0 if the model does not tell."""
    network = model.network
    decoder = getattr(network, "decoder", None)
    if name == "decoder_input_ids" and decoder is not None and hasattr(decoder, "get_input_embeddings"):
        network = decoder
    try:
        embedding = network.get_input_embeddings()
    except (NotImplementedError, AttributeError):  # those that read something else as well
        return 0
    return embedding.num_embeddings if isinstance(embedding, nn.Embedding) else 0


def _kind(value: object) -> str:
    return type(value).__name__
