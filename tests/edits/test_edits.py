"""Edits of our own networks: exact against the network itself, refused where they mean nothing, and gone afterwards."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import attnviz
from attnviz import edits
from attnviz.attention import Mask, attend
from attnviz.errors import (
    EditMeansNothing,
    EditMisfit,
    NoProbabilities,
    NoSuchHead,
    NoSuchOutput,
    NoSuchPosition,
    NoSuchSite,
)
from attnviz.errors.base import Why
from attnviz.models import ModelCard, RecurrentConfig, SequenceModel, build_network
from attnviz.models.layers import Attention
from attnviz.trace import Edit
from tests.core.conftest import SOURCE, TARGET
from tests.refused import refused

Make = Callable[..., SequenceModel]
KINDS = [
    ("encoder", {}),
    ("decoder", {"positions": "rotary", "n_kv_heads": 2}),
    ("decoder", {"norm": "post", "window": 3}),
    ("encoder-decoder", {"n_kv_heads": 1}),
]


def read(model: SequenceModel, *given: Edit, text: str = "") -> attnviz.Trace:
    crosses = model.source_tokenizer is not None
    return attnviz.trace(
        model, text or ("abc hg fed" if crosses else "a b c d e"), "b a" if crosses else None, edits=given
    )


def recurrent(architecture: str, attention: str) -> SequenceModel:
    crosses = architecture == "encoder-decoder"
    sizes = {"source_vocab_size": SOURCE.vocab_size, "source_max_len": 17} if crosses else {}
    config = RecurrentConfig(architecture, TARGET.vocab_size, attention=attention, d_model=24, max_len=13, **sizes)
    network = build_network(config, seed=0).eval().requires_grad_(False)
    return SequenceModel(network, TARGET, ModelCard("tiny", "Tiny"), SOURCE if crosses else None)


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_a_head_that_is_off_has_no_rows_of_w_o(make_model: Make, architecture: str, changes: dict[str, object]) -> None:
    model = make_model(architecture, **changes)
    for site in read(model).sites:
        network = copy.deepcopy(model.network)
        layer = next(each for each in network.modules() if isinstance(each, Attention) and each.name == site.name)
        layer.project_out.weight[:, 2 * site.d_value : 3 * site.d_value] = 0
        edited = read(model, edits.head_off(site.name, 2))
        wanted = read(SequenceModel(network, model.tokenizer, model.card, model.source_tokenizer))
        torch.testing.assert_close(edited.logits, wanted.logits, atol=1e-6, rtol=1e-6)
        assert max(entry.max_abs_error for entry in edited.proof()) < 1e-6


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_edits_of_scores_are_what_their_formula_says(
    make_model: Make, architecture: str, changes: dict[str, object]
) -> None:
    model = make_model(architecture, **changes)
    plain = read(model).sites[-1]
    name, (q, k, v) = plain.name, (plain.q[1], plain.k[plain.group(1)], plain.v[plain.group(1)])
    allowed = plain.mask.allowed(len(q), len(k))
    hidden = allowed.clone()
    hidden[:, 1] = False
    far = allowed.clone()
    far[2, 0] = False
    matrix = torch.rand(len(q), len(k), generator=torch.Generator().manual_seed(0))
    for edit, context in [
        (edits.cut(name, key=1, head=1), attend(q, k, v, Mask(pairs=hidden))[0]),
        (edits.cut(name, query=2, key=0), attend(q, k, v, Mask(pairs=far))[0]),
        (edits.temperature(name, 1, 0.25), attend(4 * q, k, v, plain.mask)[0]),
        (edits.no_scale(name), attend(q * len(q[0]) ** 0.5, k, v, plain.mask)[0]),
        (edits.set_weights(name, 1, "uniform"), allowed / allowed.sum(-1, keepdim=True) @ v),
        (edits.set_weights(name, 1, matrix), matrix @ v),
        (edits.scale_head(name, 1, 2.5), 2.5 * attend(q, k, v, plain.mask)[0]),
    ]:
        edited = read(model, edit)
        torch.testing.assert_close(edited.site(name).context(1), context, atol=1e-5, rtol=1e-5)
        assert max(entry.max_abs_error for entry in edited.proof()) < 1e-5
        assert edited.edits == (edit,)
        assert not torch.equal(edited.logits, read(model).logits)


def test_the_mask_and_the_positions_can_be_left_out(make_model: Make) -> None:
    model = make_model("decoder", positions="sinusoidal")
    first = read(model, edits.no_mask("decoder.0.self")).sites[0]
    torch.testing.assert_close(first.context(0), attend(first.q[0], first.k[0], first.v[0])[0], atol=1e-6, rtol=1e-5)
    encoder = make_model("encoder")
    one, other = (read(encoder, edits.no_positions(), text=text).logits for text in ("a b c", "c a b"))
    torch.testing.assert_close(one[1:4], other[[2, 3, 1]], atol=1e-5, rtol=1e-4)  # behind <bos>
    assert not torch.allclose(read(encoder, text="a b c").logits[1:4], read(encoder, text="c a b").logits[[2, 3, 1]])


def test_the_mean_of_a_head_lets_no_later_token_through(make_model: Make) -> None:
    edit = edits.head_off("decoder.1.self", 0, "running_mean")
    one, other = (read(make_model(), edit, text=text) for text in ("a b c d e", "a b c d f"))
    assert torch.equal(one.logits[:-1], other.logits[:-1])
    site = one.sites[1]
    plain = read(make_model()).sites[1]
    torch.testing.assert_close(site.context(0)[3], plain.context(0)[:4].mean(0), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_patches_bring_another_text(make_model: Make, architecture: str, changes: dict[str, object]) -> None:
    model = make_model(architecture, **changes)
    crosses = architecture == "encoder-decoder"
    target = "d c" if crosses else None
    source = attnviz.trace(model, "abc hg fed" if crosses else "h b g d f", target)
    n, main = len(source.tokens), source.main
    whole = read(model, edits.patch_stream(0, range(n), source))
    assert torch.equal(whole.logits, source.logits)
    name = f"{main}.1.self"
    part = read(model, edits.patch(name, 3, [0, 2], source, [1, 1]))
    assert torch.equal(part.site(name).context(3)[[0, 2]], source.site(name).context(3)[[1, 1]])
    assert max(entry.max_abs_error for entry in part.proof()) < 1e-6


@pytest.mark.parametrize("attention", ["additive", "dot", "scaled_dot"])
@pytest.mark.parametrize("architecture", ["encoder", "decoder", "encoder-decoder"])
def test_recurrent_networks_attend_under_edits_too(architecture: str, attention: str) -> None:
    model = recurrent(architecture, attention)
    (name,) = (site.name for site in read(model).sites)
    for edit in (edits.cut(name, query=1, key=0), edits.set_weights(name, 0, "uniform"), edits.head_off(name, 0)):
        edited = read(model, edit)
        assert max(entry.max_abs_error for entry in edited.proof()) < 1e-6
        assert not torch.equal(edited.logits, read(model).logits)
    assert read(model, edits.cut(name, query=1, key=0)).sites[0].weights(0)[1, 0] == 0
    found = attnviz.sweep(
        model,
        "abc" if architecture == "encoder-decoder" else "a b c",
        "a b" * (architecture == "encoder-decoder") or None,
    )
    assert found.loss.shape == (1, 1)
    with refused(EditMeansNothing("tiny", Why("no-positions"))):
        read(model, edits.no_positions())
    with refused(EditMeansNothing("tiny", Why("no-blocks"))):
        edits.patch_stream(0, [0], read(model))
    if attention != "scaled_dot":
        with refused(EditMeansNothing(name, Why("no-scale"))):
            read(model, edits.no_scale(name))


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_a_sweep_is_each_head_alone(make_model: Make, architecture: str, changes: dict[str, object]) -> None:
    model = make_model(architecture, **changes)
    given = ("abc hg fed", "b a") if architecture == "encoder-decoder" else ("a b c d e", None)
    plain = attnviz.trace(model, *given)
    for what, make in (
        ("head_off", edits.head_off),
        ("uniform", lambda site, head: edits.set_weights(site, head, "uniform")),
    ):
        found = attnviz.sweep(model, *given, token=3, position=1, what=what)
        assert found.sites == tuple(site.name for site in plain.sites)
        for at, site in enumerate(found.sites):
            for head in range(4):
                naive = attnviz.effect(plain, attnviz.trace(model, *given, edits=[make(site, head)]), 3, 1)
                for name in ("logit", "probability", "loss", "rank"):
                    assert getattr(naive, name).after == pytest.approx(float(getattr(found, name)[at, head]), abs=1e-5)
                assert naive.kl == pytest.approx(float(found.kl[at, head]), abs=1e-5)
    assert len(found.to_dataframe()) == found.loss.numel()


def test_an_effect_is_what_two_traces_say(make_model: Make) -> None:
    model = make_model()
    plain, edited = read(model), read(model, edits.head_off("decoder.0.self", 1))
    found = attnviz.effect(plain, edited, token="b")
    p, q = plain.logits[-1].softmax(-1), edited.logits[-1].softmax(-1)
    output = next(at for at in range(len(p)) if plain.outputs is not None and plain.outputs.label(at) == "b")
    assert found.probability == pytest.approx((float(p[output]), float(q[output])), abs=1e-6)
    assert found.loss.change == pytest.approx(float(p[output].log() - q[output].log()), abs=1e-5)
    assert found.kl == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-6)
    assert found.rank.before == 1 + int((p > p[output]).sum())
    with refused(NoSuchOutput("nothing", "tiny")):
        attnviz.effect(plain, edited, token="nothing")
    with refused(NoSuchPosition("tiny", 6, 5)):
        attnviz.effect(plain, edited, position=6)


def test_what_there_is_not_is_refused(make_model: Make) -> None:
    model = make_model("encoder", scoring="dot", positions="none")
    for edit, error in [
        (edits.head_off("encoder.9.self", 0), NoSuchSite("encoder.9.self", ["encoder.0.self", "encoder.1.self"])),
        (edits.head_off("encoder.0.self", 4), NoSuchHead("encoder.0.self", 4, 3)),
        (edits.cut("encoder.0.self", key=9), NoSuchPosition("encoder.0.self", 9, 5)),
        (edits.no_mask("encoder.0.self"), EditMeansNothing("encoder.0.self", Why("no-mask"))),
        (edits.no_scale("encoder.0.self"), EditMeansNothing("encoder.0.self", Why("no-scale"))),
        (edits.no_positions(), EditMeansNothing("tiny", Why("no-positions"))),
        (
            edits.set_weights("encoder.0.self", 0, [[1.0]]),
            EditMisfit("set_weights", Why("weights-shape", site="encoder.0.self", wanted="6 × 6", given="1 × 1")),
        ),
        (cast(Any, "off:encoder.0.self:0"), EditMisfit("edits", Why("edit-kind", given="'off:encoder.0.self:0'"))),
    ]:
        with refused(error):
            read(model, edit)
    for make, error in [
        (lambda: edits.cut("s"), EditMisfit("cut", Why("cut-nothing"))),
        (
            lambda: edits.temperature("s", 0, 0.0),
            EditMisfit("temperature", Why("temperature", given=0.0, least="1e-06", most="1e+06")),
        ),
        (
            lambda: edits.scale_head("s", 0, float("nan")),
            EditMisfit("scale_head", Why("factor", given=float("nan"), most="1e+06")),
        ),
        (lambda: edits.scale_head("s", 0, -1e38), EditMisfit("scale_head", Why("factor", given=-1e38, most="1e+06"))),
        (
            lambda: edits.temperature("s", 0, "x"),
            EditMisfit("temperature", Why("temperature", given="x", least="1e-06", most="1e+06")),
        ),  # type: ignore[arg-type]
        (lambda: edits.head_off("s", 0, "mean"), EditMisfit("head_off", Why("baseline", given="mean"))),  # type: ignore[arg-type]
        (
            lambda: edits.set_weights("s", 0, [[float("inf")]]),
            EditMisfit("set_weights", Why("weights-numbers", most="1e+06")),
        ),
    ]:
        with refused(error):
            make()
    source = read(model)
    known = ["encoder.0.self", "encoder.1.self"]
    for make, error in [
        (lambda: edits.patch("encoder.9.self", 0, [0], source), NoSuchSite("encoder.9.self", known)),
        (lambda: edits.patch(known[0], 4, [0], source), NoSuchHead(known[0], 4, 3)),
        (lambda: edits.patch(known[0], 0, [6], source), NoSuchPosition(known[0], 6, 5)),
        (lambda: edits.patch(known[0], 0, [0, 1], source, [0]), EditMisfit("patch", Why("pairs", given=1, wanted=2))),
        (lambda: edits.patch_stream(0, [6], source), NoSuchPosition("encoder.0", 6, 5)),
        (
            lambda: edits.patch_stream(9, [0], source),
            EditMeansNothing("tiny", Why("no-block", known="encoder.0, encoder.1")),
        ),
        (lambda: attnviz.sweep(model, "a b", position=9), NoSuchPosition("tiny", 9, 2)),
        (lambda: attnviz.sweep(model, "a b", token="nothing"), NoSuchOutput("nothing", "tiny")),
    ]:
        with refused(error):
            make()


def test_a_network_without_attention_says_so() -> None:
    model = recurrent("encoder", "none")
    nothing = EditMeansNothing("tiny", Why("no-attention"))
    with refused(nothing):
        read(model, edits.head_off("encoder.0.self", 0))
    with refused(nothing):
        attnviz.sweep(model, "a b c")
    with refused(nothing):
        edits.patch("encoder.0.self", 0, [0], read(model))


class EnoughError(Exception):
    """Somebody has seen enough."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, EnoughError])
def test_nothing_is_left_of_an_edit_that_failed_and_other_threads_never_see_it(
    kind: type[BaseException], make_model: Make
) -> None:
    model = make_model()
    plain, call, seen = read(model).logits, nn.Module.__call__, list[Tensor]()

    def progress(done: int, total: int) -> None:
        thread = threading.Thread(target=lambda: seen.append(read(model).logits))
        thread.start()
        thread.join()
        if done:
            raise kind

    with pytest.raises(kind):
        attnviz.sweep(model, "a b c d e", progress=progress)
    assert len(seen) == 2
    assert all(torch.equal(one, plain) for one in [*seen, read(model).logits])
    assert nn.Module.__call__ is call


def test_a_model_without_probabilities_can_be_edited_and_not_swept() -> None:
    model = attnviz.load_model("zoo/series")
    text = model.card.examples[0]
    (name, *_) = (site.name for site in attnviz.trace(model, str(text)).sites)
    assert attnviz.trace(model, str(text), edits=[edits.head_off(name, 0)]).sites[0].edits
    with refused(NoProbabilities(model.card.name)):
        attnviz.sweep(model, str(text))
