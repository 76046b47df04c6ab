"""Find the attention of a Hugging Face model by watching a short pass; refuse what cannot be shown truly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnviz.bounded import reason
from attnviz.errors import AttentionDiffers, AttentionHidden, AttentionUnseen, WeightsNotFinite
from attnviz.errors.base import Why
from attnviz.huggingface.in_projection import find_inputs
from attnviz.huggingface.inspection import Inspection, Seen
from attnviz.huggingface.interface import hears
from attnviz.huggingface.numerics import context_error, tolerance, valid_rows
from attnviz.huggingface.place import Place, make_site
from attnviz.huggingface.projection import find_projection
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.sample import has_decoder
from attnviz.trace import AttentionSite, BlockPlace
from attnviz.trace.compare import largest, worst

__all__ = ["Structure", "layout_of", "logits_of", "survey"]

PLAIN = (bool, int, float, str, list, tuple, dict)
OF_EVERY_MODULE = frozenset(vars(nn.Module()))


@dataclass(frozen=True)
class Structure:
    """Attention sites of a model, and how to run its last layer again.

    Attributes:
        places: places by path of the layer and turn.
        causal: queries of its own text read only what came before.
        unembedding: the layer that turns the residual stream into scores, where it runs once.
        ends_with_it: nothing is done after it: its scores are the logits.
        ends_plainly: nothing is done before it either: it reads what the base model ends with.
        blocks: blocks by path and turn, each with one self-attention; those that cannot be told are left out.
        layout: what the model is made of, as `layout_of` tells: of another one nothing is known.
    """

    places: dict[tuple[str, int], Place]
    causal: bool
    unembedding: nn.Module | None
    ends_with_it: bool
    ends_plainly: bool
    blocks: dict[tuple[str, int], BlockPlace]
    layout: tuple[object, ...]

    def block_of(self, place: Place) -> BlockPlace | None:
        """Return the block that a place is part of; None where that cannot be told."""
        turns = [block for (path, _), block in self.blocks.items() if place.module.startswith(f"{path}.")]
        return turns[place.turn] if place.turn < len(turns) else None

    @property
    def wrapped(self) -> list[str]:
        """Paths of the modules that are W_O by more than a linear layer's own weight."""
        outputs = [place.projection for place in self.places.values()]
        return list(dict.fromkeys(one.module for one in outputs if one is not None and one.weight is not None))

    def fits(self, network: nn.Module) -> bool:
        """Whether the model is still made of the same modules and parameters."""
        return self.layout == layout_of(network, self.wrapped)


def layout_of(network: nn.Module, wrapped: Sequence[str]) -> tuple[object, ...]:
    """List a model's modules, parameters and hooks, the settings of the model itself and of some modules.

    The numbers of its parameters do not count, but those of these modules, and of the model's own buffers, do.

    Args:
        wrapped: paths of modules of which everything counts.
    """
    parts: list[object] = []
    for module in network.modules():
        hooks = len(module._forward_hooks) + len(module._forward_pre_hooks)
        parts.append((id(module), hooks, "forward" in vars(module), *map(id, module._parameters.values())))
    parts.append(_settings(network))
    parts += [
        tensor._version for tensor in network._buffers.values() if tensor is not None and not tensor.is_inference()
    ]
    for path, module in network.named_modules() if wrapped else ():
        if path.startswith(tuple(wrapped)):
            parts.append(_settings(module))
            parts += [tensor._version for tensor in module._parameters.values() if tensor is not None]
    return tuple(parts)


def _settings(module: nn.Module) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a module that are plain values."""
    own = ((name, value) for name, value in vars(module).items() if name not in OF_EVERY_MODULE)
    return tuple((name, repr(value)) for name, value in own if isinstance(value, PLAIN))


@torch.inference_mode()
def survey(model: PreTrainedModel, name: str, run: Callable[[], Any], lengths: set[int]) -> Structure:
    """Watch one pass, and prove that every layer of attention in it can be shown.

    Args:
        model: model in evaluation mode.
        run: runs the model on something short.
        lengths: lengths of the sequences that it then reads.

    Raises:
        CannotShow: attention that does not go through the interface, or whose numbers cannot be had again; it names
            the layer.
    """
    _check_weights(model, name)
    found: list[tuple[Seen, AttentionSite]] = []
    places: dict[tuple[str, int], Place] = {}
    count = Counter[tuple[str, str]]()
    reader = RulesReader()

    def take(seen: Seen) -> None:
        stack, kind = _stack(model, seen.module), "cross" if seen.cross else "self"
        if seen.within:  # the layer attends once more
            first = places[seen.module, seen.turn - seen.within]
            places[seen.module, seen.turn - seen.within] = replace(first, part=0)
            place = replace(first, turn=seen.turn, part=seen.within)
        else:
            place = Place(seen.module, seen.turn, count[stack, kind], stack, kind, seen.rotary)
            count[stack, kind] += 1
        places[seen.module, seen.turn] = place
        try:
            site = make_site(place, seen.call, reader, row=0)
        except TypeError as error:
            raise AttentionDiffers(name, seen.module, reason(error)) from error
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
    for seen, _ in found:
        projection = find_projection(seen)
        key = seen.module, seen.turn
        known: dict[str, Any] = {"no_output" if isinstance(projection, str) else "projection": projection}
        inputs = find_inputs(seen)
        known["no_inputs" if isinstance(inputs, str) else "inputs"] = inputs
        places[key] = replace(places[key], **known)
    logits = logits_of(output)
    last = len(read) == 1 and isinstance(logits, Tensor) and torch.equal(read[0][1], logits)
    plain = last and len(ends) == 1 and torch.equal(ends[0], read[0][0])
    if not has_decoder(model):
        places = _renamed(places, causal)
    blocks = find_blocks(model, places)
    structure = Structure(places, causal, unembedding if len(read) == 1 else None, last, plain, blocks, ())
    return replace(structure, layout=layout_of(model, structure.wrapped))


def find_blocks(model: nn.Module, places: Mapping[tuple[str, int], Place]) -> dict[tuple[str, int], BlockPlace]:
    """Return the block around each self-attention: the largest item of a list that holds no other."""
    layers = {place.module for place in places.values() if place.kind == "self"}
    found: dict[tuple[str, int], BlockPlace] = {}
    for place in places.values():
        parts = place.module.split(".")
        items = [
            ".".join(parts[: end + 1])
            for end in range(1, len(parts))
            if isinstance(model.get_submodule(".".join(parts[:end])), nn.ModuleList)
        ]
        alone = (path for path in items if sum(layer.startswith(f"{path}.") for layer in layers) == 1)
        path = next(alone, None)
        if path is not None and place.kind == "self" and not place.part:
            turn = sum(known == path for known, _ in found)
            found[path, turn] = BlockPlace(place.stack, place.layer)
    return found


def logits_of(output: Any) -> Tensor | None:
    """The scores among a model's outputs, by row of the batch: logits, or those of the tokens where it has others too.

    Those of an answer's start and end are two rows; each text to choose has its own; the one number of a token is the
    logit of a second label where that of the first is 0.
    """
    kind = type(output).__name__
    if isinstance(start := getattr(output, "start_logits", None), Tensor):
        return torch.stack([start, output.end_logits], dim=1)
    found = getattr(output, "logits", None)
    found = getattr(output, "prediction_logits", None) if found is None else found
    if not isinstance(found, Tensor):
        return None
    if kind.startswith("MultipleChoice"):
        return found.mT
    return torch.stack([torch.zeros_like(found), found], dim=-1) if kind == "ElectraForPreTrainingOutput" else found


def _check_weights(model: PreTrainedModel, name: str) -> None:
    """Refuse weights that are nan or infinite."""
    for path, weights in model.named_parameters():
        if (
            weights.is_floating_point()
            and weights.numel()
            and not all(bool(bound.isfinite()) for bound in torch.aminmax(weights.detach()))
        ):
            raise WeightsNotFinite(name, path)


def _stack(model: PreTrainedModel, module: str) -> str:
    parts = module.lower().split(".")
    if hasattr(model.config, "vision_config") and hasattr(model.config, "text_config"):
        if any("vision" in part or "visual" in part or "image" in part for part in parts):
            return "vision"
        if not has_decoder(model):
            return "decoder" if model.can_generate() else "text"
    if has_decoder(model):
        return "decoder" if "decoder" in parts else "encoder"
    return "decoder" if "decoder" in parts else "only"  # told apart when all are known


def _renamed(places: dict[tuple[str, int], Place], causal: bool) -> dict[tuple[str, int], Place]:
    """Settle a stack whose path tells nothing: alone, it is an encoder if it may look ahead."""
    stacks, only = {place.stack for place in places.values()}, "decoder" if causal else "encoder"
    if stacks != {"decoder"}:
        stacks = {"only"}
    return {key: replace(place, stack=only) if place.stack in stacks else place for key, place in places.items()}


def _prove(name: str, seen: Seen, site: AttentionSite) -> None:
    """Hold a site to the model's own numbers: its context, and the weights that its backend gives for V = identity."""
    call = seen.call
    limit = tolerance(call.q.dtype)
    n_keys = call.k.shape[2]
    eye = torch.eye(n_keys, dtype=call.v.dtype, device=call.v.device).expand(*call.k.shape[:2], n_keys, n_keys)
    weights = call.backend(call.module, call.q, call.k, eye, call.mask, **call.extras)[0][0].transpose(0, 1)
    errors = [context_error(site, seen.context[0].transpose(0, 1))]  # (H, Tq, d_value)
    for head in range(site.n_heads):
        rows = valid_rows(site, head)
        errors.append(largest((site.weights(head) - weights[head].float())[rows]))
    error = worst(errors)
    if not error <= limit:
        raise AttentionDiffers(name, seen.module, Why("difference", error=f"{error:.1e}"))
