"""Every supported architecture under edits: head off, cut, patch and sweep, each against the model itself."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from transformers import AttentionInterface

import attnviz
from attnviz import edits
from attnviz.edits.sweep import swept
from attnviz.errors import EditMeansNothing, NoProbabilities
from attnviz.errors.base import Why
from attnviz.huggingface import HuggingFaceModel, wrap
from attnviz.huggingface.editing import edited as under
from attnviz.huggingface.place import Place
from attnviz.huggingface.projection import matrix_of
from attnviz.huggingface.sample import sample
from attnviz.trace import AttentionSite, Edit, Trace
from tests.huggingface.architectures import ARCHITECTURES, NO_EDIT
from tests.huggingface.test_architectures import eager
from tests.refused import refused

BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}
HEAD = 1
Inputs = Mapping[str, Tensor]


def numbers(network: nn.Module, inputs: Inputs) -> Tensor:
    """All floating-point outputs of a model that are no caches, side by side."""
    with torch.inference_mode():
        output = network(**inputs, use_cache=False) if "input_ids" in inputs else network(**inputs)
    return torch.cat([t.flatten() for t in output.to_tuple() if isinstance(t, Tensor) and t.is_floating_point()])


def changed(model: HuggingFaceModel, inputs: Inputs, *given: Edit) -> Tensor:
    structure = model.structure
    with torch.inference_mode(), under(model, structure, [given]):
        return numbers(model.network, inputs)


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


def chosen(trace: Trace) -> AttentionSite:
    """The first self-attention of the stack that ran last."""
    return next(site for site in trace.sites if site.stack == trace.sites[-1].stack and site.kind == "self")


def other(inputs: Inputs, stack: str) -> dict[str, Tensor]:
    """Inputs of the same shape of which that stack reads something else."""
    ids = next((name for name in ("decoder_input_ids", "input_ids") if name in inputs), "")
    if ids and stack != "vision":
        return {**inputs, ids: torch.where(inputs[ids] == 94, 54, inputs[ids])}  # those below may stand for images
    heard = {"pixel_values", "input_values", "input_features"} & inputs.keys()
    return {**inputs, **{name: inputs[name].flip(-1) * 0.5 for name in heard}}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_architecture(name: str) -> None:
    model = wrap(BY_NAME[name].build())
    inputs = dict(sample(model.network, model.parameters)[0])
    before = numbers(model.network, inputs)
    trace = attnviz.trace_inputs(model, inputs)
    layer = chosen(trace).name.partition(".w")[0]
    check_head_off(model, inputs, trace, layer)
    check_scores(model, inputs, layer, {edit for edit, names in NO_EDIT.items() if name in names})
    check_positions(model, inputs, trace, takes=name not in NO_EDIT["no_positions"])
    check_patch(model, inputs, trace)
    check_sweep(model, inputs, trace, takes=name not in NO_EDIT["sweep"])
    assert torch.equal(numbers(model.network, inputs), before)


def check_head_off(model: HuggingFaceModel, inputs: Inputs, trace: Trace, layer: str) -> None:
    """A head that is off is a model whose rows of W_O are zero for it."""
    place = next(place for place in model.structure.places.values() if place.name == layer)
    found = changed(model, inputs, edits.head_off(layer, HEAD))
    turns = [known for known in model.structure.places.values() if known.module == place.module]
    if place.projection is None or place.projection.weight is not None or len(turns) > 1:
        return  # W_O is no matrix of its own, or that of several layers
    network, width = copy.deepcopy(model.network), chosen(trace).d_value
    with torch.no_grad():
        matrix_of(network.get_submodule(place.projection.module))[0][HEAD * width : (HEAD + 1) * width] = 0
    assert relative(found, numbers(network, inputs)) <= 1e-6


class Asked(NamedTuple):
    """A call of eager attention: what it was given, and the weights and context vectors that it gave."""

    again: Callable[..., tuple[Tensor, Tensor]]  # with another mask or other extras
    module: nn.Module
    v: Tensor  # (B, H, Tk, d_value), repeated for the query heads
    mask: Tensor | None
    extras: dict[str, Any]
    weights: Tensor  # (B, H, Tq, Tk)

    @property
    def hidden(self) -> Tensor:
        """Keys that may not be read (B, H, Tq, Tk)."""
        if self.mask is None:
            return torch.zeros_like(self.weights, dtype=torch.bool)
        return (self.mask < torch.finfo(self.mask.dtype).min / 2).expand_as(self.weights)


def of_eager(network: nn.Module, inputs: Inputs, place: Place, change: Callable[[Asked], Tensor]) -> Tensor:
    """Outputs of a model with eager attention that has other context vectors (B, Tq, H, d_value) in one head."""
    turns, wanted = list[int](), network.get_submodule(place.module)

    def ask(interface: Any, name: str, default: Any) -> Any:
        def attend(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, attention_mask: Any, **more: Any) -> Any:
            context, weights = default(module, q, k, v, attention_mask, **more)
            if module is wanted:
                if len(turns) == place.turn:
                    repeated = v.repeat_interleave(q.shape[1] // v.shape[1], dim=1)
                    again = partial(default, module, q, k, v)
                    context = context.clone()
                    asked = Asked(again, module, repeated, attention_mask, more, weights)
                    context[:, :, HEAD] = change(asked)[:, :, HEAD]
                turns.append(1)
            return context, weights

        return attend

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AttentionInterface, "get_interface", ask)
        expected = numbers(network, inputs)
    assert turns
    return expected


def without_an_edge(asked: Asked) -> Tensor:
    """Minus infinity is added to the score of a pair."""
    added = torch.zeros_like(asked.weights)
    added[:, HEAD, 1, 1] = float("-inf")
    return asked.again(added if asked.mask is None else asked.mask + added, **asked.extras)[0]


def sharpened(asked: Asked) -> Tensor:
    """Scores over a temperature of 1/2: squared weights share out the row, beside a sink that keeps its own score."""
    logs = asked.weights.log()
    sinks, sunk = getattr(asked.module, "sinks", None), 1 - asked.weights.sum(-1, keepdim=True)
    rest = torch.zeros_like(sunk)
    if sinks is not None:
        logs = logs + sinks[:, None, None] - sunk.log()  # the scores themselves
        rest = sinks[:, None, None].exp()
    exps = (2 * logs).exp()
    return (exps / (exps.sum(-1, keepdim=True) + rest) @ asked.v).transpose(1, 2)


def uniform(asked: Asked) -> Tensor:
    reads = (~asked.hidden).to(asked.v)
    return (reads / reads.sum(-1, keepdim=True) @ asked.v).transpose(1, 2)


def unscaled(asked: Asked) -> Tensor:
    return asked.again(asked.mask, **{**asked.extras, "scaling": 1.0})[0]


def unmasked(asked: Asked) -> Tensor:
    return asked.again(None if asked.mask is None else asked.mask.masked_fill(asked.hidden, 0), **asked.extras)[0]


def check_scores(model: HuggingFaceModel, inputs: Inputs, layer: str, refuses: set[str]) -> None:
    """Every edit of scores is what it says in the model's own eager attention, or is refused where it means nothing."""
    place = next(place for place in model.structure.places.values() if place.name == layer)
    nothing = {unscaled: "no_scale", unmasked: "no_mask"}
    network = eager(model.network)
    for edit, change in (
        (edits.cut(layer, query=1, key=1, head=HEAD), without_an_edge),
        (edits.temperature(layer, HEAD, 0.5), sharpened),
        (edits.set_weights(layer, HEAD, "uniform"), uniform),
        (edits.no_scale(layer, HEAD), unscaled),
        (edits.no_mask(layer, HEAD), unmasked),
    ):
        if nothing.get(change) in refuses:
            with pytest.raises(EditMeansNothing):
                changed(model, inputs, edit)
            continue
        found = changed(model, inputs, edit)
        expected = of_eager(network, inputs, place, change)
        assert relative(found, expected) <= 1e-5, (model.name, change.__name__)


def check_patch(model: HuggingFaceModel, inputs: Inputs, trace: Trace) -> None:
    """With the whole stream of another text behind the first block, the rest is what it is on that text."""
    site = chosen(trace)
    more = other(inputs, site.stack)
    source = attnviz.trace_inputs(model, more)
    n = len(trace.sequences[site.stack]) if site.stack in trace.sequences else 16  # Swin's sequences are windows
    length = n if site.part is None else 64
    stream = edits.patch_stream(0, range(length), source, stack=site.stack)
    expected = numbers(model.network, more)
    assert not torch.equal(expected, numbers(model.network, inputs))
    if "decoder_input_ids" in inputs or not any(known.kind == "cross" for known in trace.sites):
        assert torch.equal(changed(model, inputs, stream), expected)
    head = edits.patch(site.name, HEAD, [0, 1], source)
    several = [head, stream, edits.cut(site.name, key=0), edits.temperature(site.name, 0, 0.5)]
    edited = attnviz.trace_inputs(model, inputs, edits=several)
    assert torch.equal(edited.site(site.name).context(HEAD)[:2], source.site(site.name).context(HEAD)[:2])
    assert edited.site(site.name).weights(HEAD)[:, 0].abs().max() == 0
    assert max(entry.max_abs_error for entry in edited.proof()) <= 1e-5


def check_positions(model: HuggingFaceModel, inputs: Inputs, trace: Trace, *, takes: bool) -> None:
    """Without positions and masks, two tokens that change places change places in all that a model ends with."""
    edit = edits.no_positions()
    if not takes:
        with pytest.raises(EditMeansNothing):
            attnviz.trace_inputs(model, inputs, edits=[edit])
        return
    order = [0, 2, 1, *range(3, 7)]
    swapped = {name: t[:, order[: t.shape[1]]] if name.endswith("input_ids") else t for name, t in inputs.items()}
    open_ = [edits.no_mask(site.name) for site in trace.sites if not site.mask.open]
    one, other = (attnviz.trace_inputs(model, given, edits=[edit, *open_]) for given in (inputs, swapped))
    assert relative(one.sites[-1].q[:, order[: one.sites[-1].q.shape[1]]], other.sites[-1].q) <= 1e-5
    assert relative(one.sites[-1].q, trace.sites[-1].q) > 1e-3
    assert max(entry.max_abs_error for entry in one.proof()) <= 1e-5
    assert not any(site.rotary for site in one.sites)


def check_sweep(model: HuggingFaceModel, inputs: Inputs, trace: Trace, *, takes: bool) -> None:
    """Each head alone, from the block that it is in, as from the beginning."""
    if not takes:
        with refused(NoProbabilities(model.name)):
            swept(trace, None, -1, edits.head_off, lambda done, total: None)
        return
    told: list[tuple[int, int]] = []
    found = swept(trace, None, -1, edits.head_off, lambda done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] == int(found.loss.isfinite().sum())
    edited = attnviz.trace_inputs(model, inputs, edits=[edits.head_off(found.sites[-1], HEAD)])
    naive = attnviz.effect(trace, edited)
    assert naive.token == found.token
    assert abs(naive.logit.after - found.logit[-1, HEAD]) <= 1e-5 * max(1.0, float(trace.logits.abs().max()))


@pytest.mark.parametrize("name", ["GPT-2", "gpt-oss", "Gemma 2"])
def test_score_edits_are_those_of_eager_attention(name: str) -> None:
    """Temperature acts after bias and cap and leaves sinks alone; without the scale, raw scores go on."""
    model = wrap(BY_NAME[name].build())
    inputs = dict(sample(model.network, model.parameters)[0])
    given: Sequence[Edit] = (
        edits.temperature("decoder.0.self", 0, 0.5), edits.no_scale("decoder.0.self", 1),
        edits.no_mask("decoder.0.self"), edits.set_weights("decoder.1.self", 2, "uniform"),
        edits.scale_head("decoder.1.self", 1, 3),
        edits.head_off("decoder.1.self", 0, "running_mean"),
    )  # fmt: skip
    edited = attnviz.trace_inputs(model, inputs, edits=given)
    first, second = edited.sites
    scores = first.scores(0) * first.scale
    cap = first.softcap or 1.0
    scaled = scores if first.softcap is None else cap * torch.tanh(scores / cap)
    exps = (scaled / 0.5).exp()
    sink = 0.0 if first.sinks is None else float(first.sinks[0].exp())
    torch.testing.assert_close(first.weights(0), exps / (exps.sum(-1, keepdim=True) + sink), atol=1e-5, rtol=1e-4)
    plain = attnviz.trace_inputs(model, inputs)
    assert first.weights(3)[0, -1] > 0 == plain.sites[0].weights(3)[0, -1]
    assert torch.equal(second.weights(2)[1, :2], torch.tensor([0.5, 0.5]))
    bare = edits_without(second)
    means = torch.stack([bare.context(0)[: at + 1].mean(0) for at in range(len(bare.context(0)))])
    torch.testing.assert_close(second.context(0), means, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(second.context(1), 3 * bare.context(1))
    for block, weights in first.weight_blocks(rows=2):
        assert torch.equal(weights[0], first.weights(0)[block])
    assert max(entry.max_abs_error for entry in edited.proof()) <= 1e-5


def edits_without(site: AttentionSite) -> AttentionSite:
    bare = copy.copy(site)
    object.__setattr__(bare, "edits", ())
    return bare


@pytest.mark.parametrize(
    ("name", "edit", "reason"),
    [
        ("T5", edits.no_scale("encoder.0.self"), "no-scale"),
        ("BERT", edits.no_mask("encoder.0.self"), "no-mask"),
        ("ViT", edits.no_positions(), "positions-texts"),
        ("BART, labels", edits.no_positions(), "positions-left"),
    ],
)
def test_what_an_architecture_cannot_give_is_refused(name: str, edit: Edit, reason: str) -> None:
    model = wrap(BY_NAME[name].build())
    inputs = dict(sample(model.network, model.parameters)[0])
    with refused(EditMeansNothing(edit.site if isinstance(edit, edits.SiteEdit) else model.name, Why(reason))):
        attnviz.trace_inputs(model, inputs, edits=[edit])


def test_nothing_is_left_of_an_edit_that_failed_and_other_threads_never_see_it() -> None:
    network = BY_NAME["GPT-2"].build()
    model = wrap(network)
    inputs = dict(sample(network, model.parameters)[0])
    plain, ask, call = numbers(network, inputs), AttentionInterface.get_interface, nn.Module.__call__
    source = attnviz.trace_inputs(model, inputs)
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
    seen: list[Tensor] = []

    def fails(done: int, total: int) -> None:
        thread = threading.Thread(target=lambda: seen.append(numbers(network, inputs)))
        thread.start()
        thread.join()
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(source, None, -1, edits.head_off, fails)
    given = [edits.head_off("decoder.0.self", 0), edits.patch_stream(0, [0], source)]
    with under(model, model.structure, [given]):
        fails(0, 1)
        assert not torch.equal(numbers(network, inputs), plain)
    with pytest.raises(edits.EditError):
        attnviz.trace_inputs(model, inputs, edits=[edits.head_off("decoder.1.self", 9)])
    assert len(seen) == 3
    assert all(torch.equal(one, plain) for one in [*seen, numbers(network, inputs)])
    assert AttentionInterface.get_interface is ask
    assert nn.Module.__call__ is call
    assert hooks == [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
