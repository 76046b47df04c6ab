"""Recurrent networks: padding changes nothing, their attention is traced truly, gates are those of PyTorch."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from attnviz import attention
from attnviz.errors import ConfigError
from attnviz.models import (
    ModelCard,
    ModelConfig,
    RecurrentConfig,
    SequenceModel,
    build_network,
    generate,
    load_model,
    save_model,
)
from attnviz.models.recurrent_config import AnyConfig, config_from_dict
from attnviz.recurrence import STEPS, CellWeights
from attnviz.tokenizers import Tokenizer
from attnviz.trace import Trace, trace
from attnviz.zoo import zoo_path

TOKENS = Tokenizer("symbols", tuple("abcdef"), add_bos=True)
SOURCE = Tokenizer("symbols", tuple("uvwxyz"))
CELLS = ("rnn", "lstm", "gru")
SCORINGS = ("none", "dot", "scaled_dot", "additive")
POOLINGS = ("none", "last", "mean", "max", "dot", "scaled_dot", "additive")


def config(architecture: str, **settings: object) -> RecurrentConfig:
    source = {"source_vocab_size": SOURCE.vocab_size, "source_max_len": 9} if architecture == "encoder-decoder" else {}
    shape = {"vocab_size": TOKENS.vocab_size, "max_len": 9, "d_model": 8, "n_layers": 2, **source, **settings}
    return RecurrentConfig(architecture, **shape)  # type: ignore[arg-type]


SHAPES: list[AnyConfig] = [
    *(config("encoder", cell=c, attention=a, bidirectional=b) for c, a, b in product(CELLS, SCORINGS, (True, False))),
    *(
        config("encoder", cell="lstm", pooling=pooling, bidirectional=b)
        for pooling, b in product(POOLINGS, (True, False))
    ),
    *(config("decoder", cell=cell, attention=scoring) for cell, scoring in product(CELLS, SCORINGS)),
    *(
        config("encoder-decoder", cell=c, attention=a, bidirectional=b)
        for c, a, b in product(CELLS, SCORINGS, (True, False))
    ),
    *(ModelConfig("encoder", TOKENS.vocab_size, 9, d_model=8, pooling=pooling) for pooling in POOLINGS),  # type: ignore[arg-type]
]


def name(shape: AnyConfig) -> str:
    kind = (
        f"{shape.cell}-{shape.attention}-{shape.bidirectional}" if isinstance(shape, RecurrentConfig) else "transformer"
    )
    return f"{shape.architecture}-{kind}-{shape.pooling}"


def model(shape: AnyConfig) -> SequenceModel:
    network = build_network(shape, seed=1).eval().requires_grad_(False)
    return SequenceModel(network, TOKENS, ModelCard("m", "M"), SOURCE if shape.source_vocab_size else None)


def traced(shape: AnyConfig) -> Trace:
    return trace(
        model(shape), "u v w x" if shape.source_vocab_size else "a b c d", "c a" if shape.source_vocab_size else None
    )


@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_padding_changes_nothing(shape: AnyConfig) -> None:
    network = model(shape).network
    tokens = torch.tensor([[1, 3, 4, 5, 0, 0], [1, 4, 4, 4, 5, 3]])
    source = torch.tensor([[3, 4, 0, 0], [3, 4, 5, 6]]) if shape.source_vocab_size else None
    padded = network(
        tokens, source, padding=tokens > 0, source_padding=None if source is None else source > 0
    )  # (2, 6, V)
    alone = network(tokens[:1, :4], None if source is None else source[:1, :2])
    torch.testing.assert_close(padded[:1, :4], alone, atol=1e-5, rtol=1e-5)
    assert padded.shape == (2, 6, shape.output_size)


@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_what_is_shown_is_what_was_computed(shape: AnyConfig) -> None:
    shown = traced(shape)
    proof = shown.proof()
    assert [entry.name for entry in proof] == [site.name for site in shown.sites]
    assert all(entry.exact for entry in proof), proof
    for site in shown.sites:
        assert len(shown.sequences[site.queries]) == site.q.shape[1]
        assert len(shown.sequences[site.keys]) == site.k.shape[1]
        assert shown.inputs(site.name) is not None
    rows = 1 if shape.pooling != "none" else len(shown.tokens)
    assert shown.logits.shape == (rows, shape.output_size)


@pytest.mark.parametrize(
    ("shape", "place"),
    [
        (config("encoder", attention="additive"), "encoder.0.self"),
        (config("decoder", attention="dot"), "decoder.0.self"),
        (config("encoder-decoder", attention="additive"), "decoder.0.cross"),
        (config("encoder", pooling="additive"), "readout.0.cross"),
        (ModelConfig("encoder", TOKENS.vocab_size, 9, d_model=8, n_layers=1, pooling="scaled_dot"), "readout.0.cross"),
    ],
)
def test_attention_has_a_place_by_name(shape: AnyConfig, place: str) -> None:
    assert traced(shape).sites[-1].name == place


def test_a_decoder_reads_nothing_that_comes_later() -> None:
    for scoring in SCORINGS:
        network = model(config("decoder", attention=scoring)).network
        first, second = torch.tensor([[1, 3, 4, 5]]), torch.tensor([[1, 3, 4, 6]])
        torch.testing.assert_close(network(first)[:, :3], network(second)[:, :3])
        assert not torch.equal(network(first)[:, 3], network(second)[:, 3])


def test_additive_scores_are_those_of_the_formula() -> None:
    site = traced(config("encoder-decoder", attention="additive")).sites[0]
    assert site.additive is not None
    w_q, w_k, w_v = site.additive
    q, k = site.q[0], site.k[0]
    for i, j in product(range(len(q)), range(len(k))):
        expected = sum(w_v[n] * torch.tanh(w_q[n] @ q[i] + w_k[n] @ k[j]) for n in range(len(w_v)))
        assert site.scores(0)[i, j].item() == pytest.approx(float(expected), abs=1e-5)


def test_the_state_before_asks_in_bahdanaus_decoder() -> None:
    """At the first step it is where the decoder begins, tanh(W h_T): before it has read anything."""
    shape = config("encoder-decoder", attention="additive")
    one, other = (trace(model(shape), "u v w", target).sites[0] for target in ("a b", "f b"))
    torch.testing.assert_close(one.q[:, :2], other.q[:, :2])  # of <bos>, and of the step after it
    assert not torch.allclose(one.q[:, 2], other.q[:, 2])


def test_pooling_is_what_it_says() -> None:
    states = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    real = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    from attnviz.models.states import Pool

    def pooled(kind: str) -> Tensor:
        return Pool(kind, 8)(states, states[:, 2], states[:, 0], real, None)[:, 0]  # type: ignore[arg-type, no-any-return]

    torch.testing.assert_close(pooled("mean")[1], states[1, :3].mean(0))
    torch.testing.assert_close(pooled("max")[1], states[1, :3].amax(0))
    torch.testing.assert_close(pooled("last"), states[:, 2])
    context, _ = attention.attend(states[1:, :1], states[1:, :3], states[1:, :3])
    torch.testing.assert_close(pooled("scaled_dot")[1], context[0, 0])


@pytest.mark.parametrize("cell", CELLS)
def test_gates_lead_to_the_states_of_pytorch(cell: str) -> None:
    torch.manual_seed(0)
    layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](3, 4, batch_first=True)
    x = torch.randn(1, 6, 3)
    weights = CellWeights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    states = STEPS[cell](x[0], torch.zeros(4), weights)
    torch.testing.assert_close(states["hidden"], layer(x)[0][0], atol=1e-6, rtol=1e-5)
    for gate in {"input", "forget", "output", "reset", "update"} & states.keys():
        assert states[gate].shape == (6, 4)
        assert bool(((states[gate] > 0) & (states[gate] < 1)).all())


@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_gates_and_states_are_the_networks_own(shape: AnyConfig) -> None:
    shown = traced(shape)
    layers = shown.states()
    if isinstance(shape, ModelConfig):
        assert layers == []
        return
    assert all(layer.error < 1e-5 for layer in layers)
    assert next(layer.name for layer in layers if layer.stack == shown.main) == f"{shown.main}.0.forward"
    for layer in layers:
        n = len(shown.sequences[layer.stack])
        assert {part.shape for part in layer.parts.values()} == {(n, next(iter(layer.parts.values())).shape[1])}
    n_stacks = 2 if shape.architecture == "encoder-decoder" else 1
    assert len(layers) == 2 * (n_stacks + shape.bidirectional)


@pytest.mark.parametrize(
    "shape",
    [config("encoder", pooling="additive", bidirectional=True), config("encoder-decoder", attention="additive")],
    ids=name,
)
def test_a_model_comes_back_from_its_folder(shape: RecurrentConfig, tmp_path: object) -> None:
    before = model(shape)
    after = load_model(save_model(before, str(tmp_path)))
    assert after.config == shape == config_from_dict(shape.to_dict())
    given = ("u v", "a b") if shape.source_vocab_size else ("a b c", None)
    torch.testing.assert_close(trace(after, *given).logits, trace(before, *given).logits)
    assert after.facts.cell == "lstm"


@pytest.mark.parametrize("shape", [config("encoder", pooling="additive"), ModelConfig("encoder", TOKENS.vocab_size, 9)])
def test_a_network_in_training_can_be_looked_at(shape: AnyConfig) -> None:
    shown = trace(SequenceModel(build_network(shape, seed=1).eval(), TOKENS, ModelCard("m", "M")), "a b c d")
    site = shown.sites[-1]
    assert not site.weights(0).requires_grad
    if site.w_o is not None:
        assert not site.output(0).requires_grad


def test_values_have_no_probabilities() -> None:
    shape = config("decoder", predicts="values", n_outputs=1, attention="dot")
    shown = traced(shape)
    assert shown.logits.shape == (5, 1)
    with pytest.raises(ValueError, match="says values"):
        shown.top_outputs(3)


def test_a_model_of_numbers_goes_on_with_its_forecast() -> None:
    model = load_model(zoo_path("series"))
    given = "1 0 -1 0.5"
    longer = generate(model, given, max_new=2)
    assert longer.startswith(given + " ")
    first, second = (float(number) for number in longer.split()[4:])
    assert first == pytest.approx(float(trace(model, given).logits[-1]), abs=0.005)
    assert second == pytest.approx(float(trace(model, f"{given} {first}").logits[-1]), abs=0.02)
    assert len(generate(model, given).split()) == model.config.max_len


@pytest.mark.parametrize("scoring", ["none", "dot", "additive"])
def test_a_source_that_is_encoded_already_is_read_the_same(scoring: str) -> None:
    network = model(config("encoder-decoder", attention=scoring, bidirectional=True)).network
    tokens, source = torch.tensor([[1, 3, 4]]), torch.tensor([[3, 4, 5]])
    assert torch.equal(network(tokens, source, encoded=network.encode(source)), network(tokens, source))


def test_it_writes_on() -> None:
    assert generate(model(config("decoder")), "a b", max_new=3).startswith("a b")
    assert len(generate(model(config("encoder-decoder", attention="dot")), "u v").split()) <= 8


@pytest.mark.parametrize(
    ("architecture", "settings", "says"),
    [
        ("decoder", {"bidirectional": True}, "would read what it is to write"),
        ("decoder", {"pooling": "last"}, "pooling is last; it must be none"),
        ("encoder", {"bidirectional": True, "d_model": 7}, "it must be even"),
        ("encoder", {"cell": "tanh"}, "cell is tanh"),
        ("encoder", {"attention": "cosine"}, "attention is cosine"),
        ("encoder", {"d_model": 0}, "d_model is 0"),
        ("encoder", {"n_outputs": 0}, "n_outputs is 0"),
        ("encoder", {"n_features": -1}, "n_features is -1"),
        ("encoder", {"dropout": 1.0}, "dropout is 1;"),
        ("encoder", {"embedding_std": 0.0}, "embedding_std"),
        ("encoder", {"source_vocab_size": 3}, "for an encoder-decoder"),
    ],
)
def test_what_cannot_be_built_is_refused(architecture: str, settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config(architecture, **settings)


def test_an_unknown_or_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match=r"Unknown: 'heads'. Missing: 'max_len', 'vocab_size'"):
        config_from_dict({"cell": "gru", "architecture": "encoder", "heads": 2})
