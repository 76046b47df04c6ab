"""Positions left out of a forward pass of a Hugging Face model, where a proof says that none are left.

A module tells positions if it gives the same numbers whatever the tokens are, and other numbers elsewhere in a text: a
table of positions, a rotation (cos, sin), a bias by distance. Silenced, it gives zeros, and a rotation by nothing.
Whether that was all is not told by names: with every mask open, two tokens that change places must change places in all
queries, keys and contexts of the model, and nothing else may move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.errors import EditMeansNothing
from attnviz.errors.base import Why
from attnviz.huggingface.editing import edited
from attnviz.huggingface.interface import InterfaceCall, listening
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.sample import sample
from attnviz.huggingface.structure import Structure
from attnviz.trace.calls import standing_in
from attnviz.trace.compare import difference, worst
from attnviz.trace.site import AttentionSite, SiteEdit

__all__ = ["silenced", "tellers_of"]

TEXTS = {"input_ids", "decoder_input_ids"}
TEXT_ALONE = {*TEXTS, "attention_mask", "token_type_ids"}
SWAPPED = (1, 2)  # positions of the two tokens that change places
SAME = 1e-4  # relative to the largest number

Inputs = Mapping[str, Tensor]


class _Open(SiteEdit):
    """Every query reads every key."""

    step = "masked"
    afresh = True

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        return site.scaled(head)


def tellers_of(model: HuggingFaceModel, structure: Structure) -> frozenset[nn.Module]:
    """Return the modules that tell a model the positions of its tokens, and nothing else does.

    Raises:
        EditMeansNothing: there are none, or more tells positions than they do; or that cannot be proved.
    """
    inputs, _ = sample(model.network, model.parameters, model.name)
    if not TEXTS & inputs.keys() or inputs.keys() - TEXT_ALONE:
        raise EditMeansNothing(model.name, Why("positions-texts"))
    swapped = {name: _swapped(ids, 1) if name in TEXTS else ids for name, ids in inputs.items()}
    one, other = (_made(model, given) for given in (inputs, swapped))
    tellers = frozenset(
        module for module, made in one.items() if module in other and _same(made, other[module]) and _varies(made)
    )
    if not tellers:
        raise EditMeansNothing(model.name, Why("no-positions"))
    rows = [[_Open(place.name, None) for place in structure.places.values()]]

    def numbers(given: Inputs) -> list[Tensor]:
        kept: list[Tensor] = []

        def keep(call: InterfaceCall, context: Tensor) -> None:
            kept.extend((call.q, call.k, call.v, context.transpose(1, 2)))  # (1, H, T, width) each

        with model.running(), silenced(tellers), edited(model, structure, rows), listening(keep):
            model.forward(given)
        return kept

    pairs = zip(numbers(inputs), numbers(swapped), strict=True)
    if not worst(difference(_swapped(one, 2), other) for one, other in pairs) <= SAME:
        raise EditMeansNothing(model.name, Why("positions-left"))
    return tellers


@contextmanager
def silenced(tellers: frozenset[nn.Module]) -> Iterator[None]:
    """Let these modules tell nothing in the forward passes of this thread."""
    if not tellers:
        yield
        return
    with standing_in(lambda module, run: _silent(run()) if module in tellers else run()):
        yield


def _silent(made: Any) -> Any:
    """Return zeros in place of what is added, and a rotation by nothing in place of one; its length stays."""
    if isinstance(made, tuple):
        cos, sin = made
        return torch.hypot(cos.float(), sin.float()).to(cos), torch.zeros_like(sin)
    return made.abs().to(made) if made.is_complex() else torch.zeros_like(made)


def _made(model: HuggingFaceModel, inputs: Inputs) -> dict[nn.Module, list[Any]]:
    """Return what each innermost module gives in a pass, each time it runs."""
    found: dict[nn.Module, list[Any]] = {}

    def keep(module: nn.Module, run: Callable[[], Any]) -> Any:
        made = run()
        if not module._modules and _is_telling(made):
            found.setdefault(module, []).append(made)
        return made

    with model.running(), standing_in(keep):
        model.forward(inputs)
    return found


def _is_telling(made: Any) -> bool:
    """Whether it has the form of what tells positions: one tensor, or cos and sin."""
    parts = made if isinstance(made, tuple) and len(made) == 2 else (made,)
    return all(isinstance(part, Tensor) and part.ndim > 1 for part in parts)


def _tensors(made: list[Any]) -> Iterator[Tensor]:
    for one in made:
        yield from one if isinstance(one, tuple) else (one,)


def _same(made: list[Any], other: list[Any]) -> bool:
    pairs = zip(_tensors(made), _tensors(other), strict=False)
    return len(made) == len(other) and all(one.shape == two.shape and torch.equal(one, two) for one, two in pairs)


def _varies(made: list[Any]) -> bool:
    """Whether the two places have different numbers, on an axis that has them; a bias by distance does on two."""
    first, second = SWAPPED
    return any(
        not torch.equal(tensor.select(axis, first), tensor.select(axis, second))
        for tensor in _tensors(made)
        for axis in range(tensor.ndim - 1)
        if tensor.shape[axis] > second
    )


def _swapped(tensor: Tensor, axis: int) -> Tensor:
    """Return a tensor with two positions of an axis in each other's place."""
    order = list(range(tensor.shape[axis]))
    first, second = SWAPPED
    order[first], order[second] = second, first
    return tensor.index_select(axis, torch.tensor(order, device=tensor.device))
