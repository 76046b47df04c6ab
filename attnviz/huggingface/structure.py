"""What a Hugging Face model is made of, learnt by watching one short pass; what cannot be shown truly is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnviz.errors import AttentionDiffers, AttentionHidden, AttentionUnseen
from attnviz.huggingface.inspection import Inspection, Seen
from attnviz.huggingface.interface import hears
from attnviz.huggingface.place import Place
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.sites import make_site, tolerance
from attnviz.trace import AttentionSite

__all__ = ["Structure", "context_error", "output_error", "survey"]


@dataclass(frozen=True)
class Structure:
    """Where a model attends, and how its last layer can be had again.

    Attributes:
        places: by path of the layer and turn.
        causal: queries of its own text read only what came before.
        unembedding: the layer that turns the residual stream into logits, when nothing is done after it.
        ends_plainly: nothing is done before it either: it reads what the base model ends with.
    """

    places: dict[tuple[str, int], Place]
    causal: bool
    unembedding: nn.Linear | None
    ends_plainly: bool


@torch.inference_mode()
def survey(model: PreTrainedModel, name: str, run: Callable[[], Any], lengths: set[int]) -> Structure:
    """Watch one pass, and prove that every layer of attention in it can be shown.

    Args:
        model: in evaluation mode.
        name: for messages.
        run: runs the model on something short.
        lengths: of the sequences that it then reads.

    Raises:
        CannotShow: attention that does not go through the interface, or whose numbers cannot be had again; it names
            the layer.
    """
    found: list[tuple[Seen, AttentionSite]] = []
    places: dict[tuple[str, int], Place] = {}
    count = Counter[tuple[str, str]]()
    reader = RulesReader()

    def take(seen: Seen) -> None:
        stack, kind = _stack(model, seen.module), "cross" if seen.cross else "self"
        weight, bias = _projection(seen)
        place = Place(seen.module, seen.turn, count[stack, kind], stack, kind, seen.rotary, weight, bias)
        count[stack, kind] += 1
        places[seen.module, seen.turn] = place
        try:
            site = make_site(place, seen.call, reader, row=0)
        except TypeError as error:
            raise AttentionDiffers(name, seen.module, str(error)) from error
        _prove(name, seen, site)
        found.append((seen, site))

    inspection = Inspection(model, lengths, take)
    unembedding = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    read: list[tuple[Tensor, Tensor]] = []
    ends: list[Tensor] = []

    def unembedded(_: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        if hears():  # not another thread that runs the same model
            read.append((given[0], made))

    def ended(_: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        if hears():
            ends.append(made[0])

    with ExitStack() as hooks:
        if unembedding is not None:
            hooks.callback(unembedding.register_forward_hook(unembedded).remove)
            hooks.callback(model.base_model.register_forward_hook(ended).remove)
        hooks.enter_context(inspection.watch())
        output = run()
    if inspection.hidden:
        hidden = inspection.hidden[0]
        raise AttentionHidden(name, hidden.module, hidden.kind)
    if not found:
        raise AttentionUnseen(name, type(model).__name__)
    causal = any(site.mask.causal for seen, site in found if seen.call.q.shape[2] > 1)
    logits = getattr(output, "logits", None)
    last = len(read) == 1 and isinstance(logits, Tensor) and torch.equal(read[0][1], logits)
    plain = last and len(ends) == 1 and torch.equal(ends[0], read[0][0])
    return Structure(_renamed(model, places, causal), causal, unembedding if last else None, plain)


def _stack(model: PreTrainedModel, module: str) -> str:
    parts = module.lower().split(".")
    if hasattr(model.config, "vision_config") and hasattr(model.config, "text_config"):
        return "vision" if any("vision" in part or "visual" in part for part in parts) else "text"
    if model.config.is_encoder_decoder:
        return "decoder" if "decoder" in parts else "encoder"
    return "decoder"  # told apart when all masks are known


def _renamed(
    model: PreTrainedModel, places: dict[tuple[str, int], Place], causal: bool
) -> dict[tuple[str, int], Place]:
    """A model with one stack is an encoder when it may look ahead."""
    if causal or {place.stack for place in places.values()} != {"decoder"} or model.config.is_encoder_decoder:
        return places
    return {key: replace(place, stack="encoder") for key, place in places.items()}


def _projection(seen: Seen) -> tuple[Tensor | None, Tensor | None]:
    """W_O as (H * d_value, d_model), and b_O."""
    if seen.projection is None:
        return None, None
    weight = seen.projection.weight.detach()
    bias = None if seen.projection.bias is None else seen.projection.bias.detach()
    return (weight.T if isinstance(seen.projection, nn.Linear) else weight), bias


def _prove(name: str, seen: Seen, site: AttentionSite) -> None:
    """Hold a site to the model's own numbers: its context, and the weights that its backend gives for V = identity.

    Raises:
        CannotShow: they differ.
    """
    call = seen.call
    limit = tolerance(call.q.dtype)
    n_keys = call.k.shape[2]
    eye = torch.eye(n_keys, dtype=call.v.dtype, device=call.v.device).expand(*call.k.shape[:2], n_keys, n_keys)
    weights = call.backend(call.module, call.q, call.k, eye, call.mask, **call.extras)[0][0].transpose(0, 1)
    error = context_error(site, seen.context[0].transpose(0, 1))  # (H, Tq, d_value)
    for head in range(site.n_heads):
        rows = _valid_rows(site, head)
        error = max(error, _largest((site.weights(head) - weights[head].float())[rows]))
    if not error <= limit:
        raise AttentionDiffers(name, seen.module, f"largest difference {error:.1e}")


def context_error(site: AttentionSite, own: Tensor) -> float:
    """max |weights(h) @ v - the model's own context (H, Tq, d_value)|, over the rows in which something may be read,
    in units of the largest number of the model's own when that is above 1."""
    error = 0.0
    for head in range(site.n_heads):
        rows = _valid_rows(site, head)
        error = max(error, _largest((site.context(head) - own[head].float())[rows]))
    return error / max(1.0, _largest(own.float().nan_to_num()))


def output_error(site: AttentionSite, b_o: Tensor | None, own: Tensor) -> float:
    """max |sum over heads of output(h) + b_O - the layer's own output (Tq, d_model)|, likewise."""
    total = sum((site.output(head) for head in range(site.n_heads)), 0.0 if b_o is None else b_o.float())
    rows = torch.stack([_valid_rows(site, head) for head in range(site.n_heads)]).all(0)
    return _largest((total - own.float())[rows]) / max(1.0, _largest(own.float().nan_to_num()))


def _valid_rows(site: AttentionSite, head: int) -> Tensor:
    return site.weights(head).sum(-1) > 0


def _largest(numbers: Tensor) -> float:
    return float(numbers.abs().max()) if numbers.numel() else 0.0
