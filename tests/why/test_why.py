"""Scores of our own networks as sums of what earlier parts wrote, against the networks themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import attnviz
from attnviz import edits
from attnviz.errors import NotSplit, SettingNotWhole
from attnviz.errors.base import Why
from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network
from attnviz.tokenizers import Tokenizer
from attnviz.trace import AttentionSite, Trace
from attnviz.why import Explanation, Part
from attnviz.why.tape import Tape
from tests.refused import refused

LETTERS = Tokenizer("symbols", tuple("abcdefghij"))


def network(architecture: str = "decoder", **changes: Any) -> SequenceModel:
    """An untrained network whose norms and biases are no longer what they are made as."""
    source = {"source_vocab_size": LETTERS.vocab_size, "source_max_len": 16} if "-" in architecture else {}
    sizes = {"d_model": 24, "n_layers": 3, "n_heads": 2, "d_ff": 20, "max_len": 16} | source | changes
    config = ModelConfig(architecture, LETTERS.vocab_size, **sizes)  # type: ignore[arg-type]
    made = build_network(config, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += torch.randn(parameter.shape, generator=generator) * (0.3 if parameter.ndim == 1 else 0.15)
    return SequenceModel(made, LETTERS, ModelCard("made", "Made"), LETTERS if source else None)


def made_trace(model: SequenceModel, **given: Any) -> Trace:
    return attnviz.trace(model, "a b c b a d", "d c b a" if model.source_tokenizer else None, **given)


def cells(trace: Trace) -> list[tuple[AttentionSite, int, int]]:
    """Some query and some key that it may read, of each site."""
    found = []
    for site in trace.sites:
        n, m = site.q.shape[1], site.k.shape[1]
        keys = site.mask.allowed(n, m)[n - 1].nonzero().flatten().tolist()
        found.append((site, n - 1, keys[len(keys) // 2]))
    return found


@pytest.mark.parametrize(
    ("architecture", "norm", "positions"),
    [*product(["decoder", "encoder", "encoder-decoder"], ["pre", "post"], ["learned"])]
    + [("decoder", "pre", kind) for kind in ("sinusoidal", "rotary", "none")],
)
def test_shares_add_up_to_the_score_above_its_rows_mean(architecture: str, norm: str, positions: str) -> None:
    trace = made_trace(network(architecture, norm=norm, positions=positions))
    for site, query, key in cells(trace):
        found = trace.why(site.name, 1, query, key)
        scores = site.scaled(1)[query][site.mask.allowed(*site.scores(1).shape)[query]]
        assert found.score == pytest.approx(float(site.scaled(1)[query, key]), abs=1e-4)
        assert found.row_mean == pytest.approx(float(scores.mean()), abs=1e-4)
        for parts in (found.queries, found.keys):
            assert sum(part.share for part in parts) == pytest.approx(found.score - found.row_mean, abs=1e-4)
        assert found.proof.sum_error <= 4.5e-6
        assert found.proof.linearity_error <= 4.5e-6
        check_pairs(found)
        check_sources(trace, found)


def check_pairs(found: Explanation) -> None:
    pairs = found.pairs(top=10_000)
    for parts, side in ((found.queries, 0), (found.keys, 1)):
        for part in parts:
            assert sum(pair.share for pair in pairs if pair[side] is part) == pytest.approx(part.share, abs=1e-4)
    sizes = [abs(pair.share) for pair in pairs]
    assert sizes == sorted(sizes, reverse=True)
    assert found.pairs(top=2) == pairs[:2]
    with pytest.raises(SettingNotWhole, match="top"):
        found.pairs(top=-1)


def check_sources(trace: Trace, found: Explanation) -> None:
    for part in (*found.queries, *found.keys):
        if part.kind == "head":
            sources = found.sources(part)
            site = trace.site(part.name.rpartition(":")[0])
            assert [source.token for source in sources] == list(trace.sequences[site.keys].labels)
            assert sum(source.share for source in sources) == pytest.approx(part.share, abs=1e-4)
        else:
            with pytest.raises(ValueError, match="is no head"):
                found.sources(part)


def named(parts: tuple[Part, ...]) -> dict[str, Part]:
    return {part.name: part for part in parts}


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_part_removed_is_what_the_network_itself_computes_without_it(norm: str) -> None:
    """The network runs with a head's context at zero in one layer's eyes: with no other head there, that is removal."""
    model = network(norm=norm, n_heads=1, n_layers=2, d_ff=0)
    trace = made_trace(model)
    changed = made_trace(model, edits=[edits.head_off("decoder.0.self", 0)])
    before, after = (one.site("decoder.1.self") for one in (trace, changed))
    found = trace.why("decoder.1.self", 0, query=5, key=2)

    def above_mean(q: Tensor, k: Tensor) -> float:
        scores = before.scale * k[0] @ q[0, 5]
        return float(scores[2] - scores.mean())

    whole = above_mean(before.q, before.k)
    queries, keys = named(found.queries)["decoder.0.self:0"], named(found.keys)["decoder.0.self:0"]
    assert queries.if_removed == pytest.approx(above_mean(after.q, before.k) - whole, abs=1e-4)
    assert keys.if_removed == pytest.approx(above_mean(before.q, after.k) - whole, abs=1e-4)
    assert abs(queries.if_removed + queries.share) > 1e-3  # the norm rescales what is left


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_logit_without_a_part_is_what_the_end_of_the_network_gives_without_it(norm: str) -> None:
    """The network's own norm and unembedding read the last stream without what a head or an MLP wrote to it."""
    model = network(norm=norm)
    kept: dict[str, Tensor] = {}
    decoder: Any = model.network.decoder
    last = decoder.blocks[-1]
    end = decoder.final_norm if norm == "pre" else last.feed_forward_norm
    hooks = [
        end.register_forward_pre_hook(lambda module, args: kept.update(stream=args[0])),
        last.feed_forward.register_forward_hook(lambda module, args, made: kept.update(mlp=made)),
    ]
    trace = made_trace(model)
    for hook in hooks:
        hook.remove()
    stream, mlp = kept["stream"][0].detach(), kept["mlp"][0].detach()  # (T, d_model)

    def change(written: Tensor) -> float:
        with torch.no_grad():
            before, after = (model.network.unembedding(end(x))[5] for x in (stream, stream - written))
        (c,), (a,) = LETTERS.encode("c"), LETTERS.encode("a")
        return float((after - before)[c] - (after - before)[a])

    parts = named(trace.logit_parts(5, "c", against="a").parts)
    wrote = {"decoder.2.mlp": mlp - last.feed_forward[-1].bias.detach()}
    if norm == "pre":  # a block after it norms what another one's heads wrote
        wrote |= {f"{site.name}:{head}": site.output(head) for site in trace.sites for head in range(2)}
    for name, written in wrote.items():
        assert parts[name].if_removed == pytest.approx(change(written), abs=1e-4), name
    assert any(abs(parts[name].if_removed + parts[name].share) > 1e-3 for name in wrote), (
        "the norm rescales what is left"
    )


def test_without_rescaling_a_part_removed_is_its_share() -> None:
    trace = made_trace(network(norm="post"))  # the first layer reads the embeddings as they are
    found = trace.why("decoder.0.self", 0, 5, 2)
    for part in (*found.queries, *found.keys):
        assert part.kind in ("token", "position", "same for all")
        assert part.if_removed == pytest.approx(-part.share, abs=1e-5)


def test_logits_are_what_the_parts_wrote() -> None:
    for norm in ("pre", "post"):
        trace = made_trace(network(norm=norm))
        logits = trace.logits[-1]
        found = trace.logit_parts(-1, "c", against="a")
        wanted = float(logits[LETTERS.encode("c")[0]] - logits[LETTERS.encode("a")[0]])
        assert found.logit == pytest.approx(wanted, abs=1e-5)
        assert (found.token, found.against, found.position) == ("c", "a", 5)
        assert sum(part.share for part in found.parts) == pytest.approx(wanted, abs=1e-5)
        assert {"decoder.2.self:1", "decoder.2.mlp", "token", "bias"} <= named(found.parts).keys()
        assert named(found.parts)["bias"].if_removed == -named(found.parts)["bias"].share
        top = trace.logit_parts(-1)
        assert top.logit == pytest.approx(float(logits.max()), abs=1e-5)


def test_the_previous_token_head_is_what_the_induction_head_reads() -> None:
    """Olsson et al. 2022: the key of the token after is made by a head that had read the token before it."""
    trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b e f a c")
    found = trace.why("decoder.1.self", head=0, query=6, key=1)
    assert (found.queries[0].kind, found.keys[0].kind) == ("token", "head")
    assert found.keys[0].name == "decoder.0.self:0"
    first = max(found.sources(found.keys[0]), key=lambda source: source.share)
    assert (first.position, first.token) == (0, "a")


def test_what_is_no_cell_or_no_sum_is_refused() -> None:
    trace = made_trace(network())
    for given, error in (
        (("decoder.9.self", 0, 1, 0), KeyError),
        (("decoder.1.self", 7, 1, 0), IndexError),
        (("decoder.1.self", 0, 99, 0), IndexError),
        (("decoder.1.self", 0, 1, -1), IndexError),
    ):
        with pytest.raises(error):
            trace.why(*given)  # type: ignore[arg-type]
    with refused(NotSplit("decoder.1.self", Why("split-hidden", i=1, j=3))):
        trace.why("decoder.1.self", 0, query=1, key=3)
    scaled = made_trace(network(), edits=[edits.no_scale("decoder.1.self")])
    with refused(NotSplit("decoder.1.self", Why("split-scaled"))):
        scaled.why("decoder.1.self", 0, query=3, key=1)


def test_an_edited_pass_is_split_as_it_ran() -> None:
    given = [edits.head_off("decoder.0.self", 1), edits.cut("decoder.1.self", 5, 0)]
    trace = made_trace(network(), edits=given)
    found = trace.why("decoder.2.self", 0, 5, 2)
    assert found.proof.sum_error <= 4.5e-6
    assert named(found.keys)["decoder.0.self:1"].share == pytest.approx(0, abs=1e-6)
    part = named(found.keys)["decoder.0.self:0"]
    with refused(NotSplit("decoder.2.self", Why("split-edited", site="decoder.0.self"))):
        found.sources(part)


def test_recurrent_networks_are_refused() -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/dates-lstm"), "3rd of March 2021", "2021")
    with refused(NotSplit("dates-lstm", Why("split-recurrent"))):
        trace.logit_parts(0)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_lens_ends_the_network_after_each_block(norm: str) -> None:
    model = network(norm=norm)
    trace = made_trace(model)
    found = trace.lens(k=3)
    assert found.ids.shape == (4, 6, 3)
    kept = trace.forward_pass.streams()  # type: ignore[attr-defined]
    with torch.inference_mode():
        for layer, stream in enumerate(kept.values(), 1):
            logits = model.network.unembedding(model.network.decoder.final_norm(stream[0]))  # type: ignore[union-attr]
            assert torch.allclose(found.probabilities[layer], logits.softmax(-1).topk(3).values, atol=1e-5)
    ids, probabilities = trace.top_outputs(3)
    assert torch.equal(found.ids[-1], ids)
    assert torch.allclose(found.probabilities[-1], probabilities, atol=1e-5)
    with pytest.raises(ValueError, match="k is 0"):
        trace.lens(k=0)


def test_a_proof_holds_for_a_model_in_one_state_and_one_way_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second pass is made once; not for another text, but after any change of the model, and for another path."""
    model, passes = network(), list[bool]()
    made = Tape.__init__

    def counted(tape: Tape, *args: Any, **kwargs: Any) -> None:
        passes.append(kwargs.get("again") is not None)
        made(tape, *args, **kwargs)

    def proofs(text: str, **given: Any) -> int:
        passes.clear()
        found = attnviz.trace(model, text, **given).why("decoder.2.self", 0, 2, 1)
        assert found.proof.linearity_error <= 4.5e-6
        return sum(passes)

    monkeypatch.setattr(Tape, "__init__", counted)
    assert [proofs("a b c"), proofs("a b c"), proofs("d c b a c")] == [1, 0, 0]
    with torch.no_grad():
        model.network.unembedding.weight.add_(1.0)
    assert [proofs("a b c"), proofs("a b c")] == [1, 0]
    weight = model.network.decoder.blocks[0].attention.project_in.weight  # type: ignore[union-attr]
    weight.data.mul_(1.5)  # which torch does not count
    assert [proofs("a b c"), proofs("a b c")] == [1, 0]
    model.network.unembedding.bias = nn.Parameter(torch.zeros(LETTERS.vocab_size))  # type: ignore[assignment]
    assert [proofs("a b c"), proofs("a b c")] == [1, 0]
    feed = model.network.decoder.blocks[0].feed_forward  # type: ignore[union-attr]
    run = feed.forward
    feed.forward = lambda x: run(x * 1.0)  # type: ignore[method-assign]
    assert [proofs("a b c"), proofs("a b c")] == [1, 0]


def test_threads_explain_beside_each_other() -> None:
    """Two explain while a third runs the model: each has its own numbers."""
    model = network()
    texts = ["a b c b a d", "d c b a b c"]
    alone = [attnviz.trace(model, text).why("decoder.2.self", 1, 5, 2) for text in texts]
    logits = attnviz.trace(model, texts[0]).logits
    with ThreadPoolExecutor(3) as threads:
        asked = [
            threads.submit(lambda text: attnviz.trace(model, text).why("decoder.2.self", 1, 5, 2), text)
            for text in texts * 4
        ]
        ran = [threads.submit(lambda: attnviz.trace(model, texts[0]).logits) for _ in range(8)]
        for found, wanted in zip(asked, alone * 4, strict=True):
            assert found.result().score == wanted.score
            assert [part.share for part in found.result().keys] == [part.share for part in wanted.keys]
        assert all(torch.equal(one.result(), logits) for one in ran)
