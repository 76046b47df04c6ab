"""Convolutional networks: the formula, what an output depends on, padding, and models in folders."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.errors import ConfigError, NotSplit
from attnviz.errors.base import Why
from attnviz.models import (
    Convolutional,
    ConvolutionalConfig,
    ModelCard,
    SequenceModel,
    build_network,
    generate,
    load_model,
    save_model,
)
from attnviz.models.convolutional import ConvolutionBlock
from attnviz.models.convolutional_config import layers_to_cover
from attnviz.models.kinds import NETWORKS, network_of
from attnviz.models.network_config import Pooling
from attnviz.models.recurrent_config import config_from_dict
from attnviz.tasks import Copy, Dates, FirstSymbol, Needle, RunningParity, Sentiment, Task
from attnviz.tokenizers import Tokenizer
from attnviz.trace import trace
from attnviz.training import TrainConfig, evaluate, train
from attnviz.training.recipes import OWN
from tests.refused import refused

TOKENS = Tokenizer("symbols", tuple("abcdef"), add_bos=True)
SOURCE = Tokenizer("symbols", tuple("uvwxyz"))
ARCHITECTURES = ("encoder", "decoder", "encoder-decoder")
POOLINGS: tuple[Pooling, ...] = ("last", "mean", "max", "dot", "scaled_dot", "additive")


def config(architecture: str, **settings: object) -> ConvolutionalConfig:
    source = {"source_vocab_size": SOURCE.vocab_size, "source_max_len": 40} if architecture == "encoder-decoder" else {}
    shape = {"vocab_size": TOKENS.vocab_size, "max_len": 60, "d_model": 6, "n_layers": 3, **source, **settings}
    return ConvolutionalConfig(architecture, **shape)  # type: ignore[arg-type]


def network(shape: ConvolutionalConfig) -> Convolutional:
    made = build_network(shape, seed=1).eval().requires_grad_(False)
    assert isinstance(made, Convolutional)
    return made


def model(shape: ConvolutionalConfig) -> SequenceModel:
    return SequenceModel(network(shape), TOKENS, ModelCard("m", "M"), SOURCE if shape.source_vocab_size else None)


def changed(shape: ConvolutionalConfig, length: int, at: int) -> set[int]:
    """The outputs that are others when one token is another."""
    made = network(shape).double()
    tokens = torch.randint(3, 9, (1, length), generator=torch.Generator().manual_seed(0))
    others = tokens.clone()
    others[0, at] = 3 + (tokens[0, at] - 2) % 6
    before, after = made(tokens)[0], made(others)[0]
    return set((before != after).any(-1).nonzero()[:, 0].tolist())


@pytest.mark.parametrize(("k", "dilation", "layers"), [(3, 2, 3), (5, 1, 2), (2, 3, 3), (4, 2, 2), (1, 2, 3)])
def test_an_output_of_a_decoder_depends_on_its_receptive_field_and_on_nothing_later(
    k: int, dilation: int, layers: int
) -> None:
    shape = config("decoder", kernel_size=k, dilation=dilation, n_layers=layers)
    assert shape.receptive_field == 1 + (k - 1) * sum(dilation**layer for layer in range(layers))
    found = changed(shape, 50, 10)
    assert min(found) == 10
    assert max(found) == 10 + shape.receptive_field - 1 == 10 + shape.reach[0]


@pytest.mark.parametrize(("k", "dilation", "layers"), [(3, 2, 3), (5, 2, 2), (3, 1, 4), (1, 2, 2)])
def test_an_output_of_an_encoder_sees_as_far_to_both_sides(k: int, dilation: int, layers: int) -> None:
    shape = config("encoder", kernel_size=k, dilation=dilation, n_layers=layers)
    found = changed(shape, 60, 30)
    before, after = shape.reach
    assert before == after
    assert (min(found), max(found)) == (30 - after, 30 + before)
    assert max(found) - min(found) + 1 == shape.receptive_field


@pytest.mark.parametrize("before", [1, 2, 3, 14, 15, 30, 31, 200])
@pytest.mark.parametrize("causal", [True, False])
def test_that_many_layers_reach_as_far_and_one_fewer_does_not(before: int, causal: bool) -> None:
    n = layers_to_cover(before, causal=causal)
    assert config("decoder" if causal else "encoder", n_layers=n).reach[0] >= before
    assert n == 1 or config("decoder" if causal else "encoder", n_layers=n - 1).reach[0] < before


@pytest.mark.parametrize(
    ("architecture", "k", "dilation", "length"),
    [*product(("encoder", "decoder"), (1, 3, 5), (1, 2, 4), (1, 4, 11)), ("decoder", 4, 3, 8), ("decoder", 2, 8, 5)],
)
def test_a_convolution_is_the_sum_of_its_formula(architecture: str, k: int, dilation: int, length: int) -> None:
    block = ConvolutionBlock(config(architecture, kernel_size=k), dilation).double()
    x = torch.randn(2, length, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weight, bias = block.convolution.weight, block.convolution.bias  # (d_out, d_in, k)
    assert bias is not None
    normed, middle = block.norm(x), (k - 1) / 2 if architecture == "encoder" else k - 1
    expected = torch.zeros_like(x)
    for t in range(length):
        y = bias.expand(2, -1)
        for i in range(k):
            at = t - round((middle - i) * dilation)
            if 0 <= at < length:
                y = y + normed[:, at] @ weight[:, :, i].T
        expected[:, t] = x[:, t] + block.project(F.gelu(y))
    torch.testing.assert_close(block(x, None), expected)


SHAPES = [
    *(config(architecture, kernel_size=k) for architecture, k in product(ARCHITECTURES, (1, 3, 5))),
    *(config(architecture, kernel_size=2, dilation=3) for architecture in ARCHITECTURES[1:]),
    *(config("encoder", pooling=pooling) for pooling in POOLINGS),
]


def name(shape: ConvolutionalConfig) -> str:
    return f"{shape.architecture}-{shape.kernel_size}-{shape.dilation}-{shape.pooling}"


@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_padding_changes_nothing(shape: ConvolutionalConfig) -> None:
    made = network(shape)
    tokens = torch.tensor([[1, 3, 4, 5, 0, 0], [1, 4, 4, 4, 5, 3]])
    source = torch.tensor([[3, 4, 0, 0], [3, 4, 5, 6]]) if shape.source_vocab_size else None
    padded = made(tokens, source, padding=tokens > 0, source_padding=None if source is None else source > 0)
    assert padded.shape == (2, 6, shape.output_size)
    for row, (length, of_source) in enumerate([(4, 2), (6, 4)]):
        alone = made(tokens[row : row + 1, :length], None if source is None else source[row : row + 1, :of_source])
        torch.testing.assert_close(padded[row : row + 1, :length], alone, atol=1e-5, rtol=1e-5)


def test_a_target_reads_its_source_as_far_as_the_receptive_field_goes() -> None:
    """The last output sees the 15 positions up to it: here 4 of the target and 11 of the source."""
    shape = config("encoder-decoder", n_layers=3)
    assert shape.reach == (14, 0)
    made, target = network(shape).double(), torch.tensor([[1, 3, 4, 5]])
    source = torch.randint(3, 9, (1, 20), generator=torch.Generator().manual_seed(0))
    seen = []
    for at in range(20):
        other = source.clone()
        other[0, at] = 3 + (source[0, at] - 2) % 6
        if not torch.equal(made(target, source)[0, -1], made(target, other)[0, -1]):
            seen.append(at)
    assert seen == list(range(9, 20))


def test_a_source_that_is_encoded_already_is_read_the_same() -> None:
    made = network(config("encoder-decoder"))
    tokens, source = torch.tensor([[1, 3, 4]]), torch.tensor([[3, 4, 5]])
    assert torch.equal(made(tokens, source, encoded=made.encode(source)), made(tokens, source))


def test_features_come_with_the_tokens() -> None:
    made = network(config("encoder", n_features=2))
    tokens, features = torch.tensor([[1, 3, 4]]), torch.zeros(1, 3, 2)
    features[0, 1] = 1
    assert not torch.equal(made(tokens, features=features), made(tokens, features=torch.zeros(1, 3, 2)))


def test_a_model_comes_back_from_its_folder_and_is_shown_without_attention(tmp_path: Path) -> None:
    before = model(config("decoder"))
    after = load_model(save_model(before, tmp_path))
    assert after.config == before.config == config_from_dict(before.config.to_dict())
    shown = trace(after, "a b c")
    torch.testing.assert_close(shown.logits, trace(before, "a b c").logits)
    assert (list(shown.sites), shown.proof(), shown.states()) == ([], [], [])
    assert (after.facts.reach, after.facts.cell, after.facts.positions) == ((14, 0), "", "")
    with refused(NotSplit("m", Why("split-convolutional"))):
        shown.written()
    assert generate(after, "a b", max_new=3).startswith("a b")


def test_pooling_by_attention_is_shown_and_proved() -> None:
    shown = trace(model(config("encoder", pooling="additive")), "a b c d")
    assert [site.name for site in shown.sites] == ["readout.0.cross"]
    assert all(entry.exact for entry in shown.proof())


@pytest.mark.parametrize(
    ("architecture", "settings", "says"),
    [
        ("encoder", {"kernel_size": 4}, "kernel_size is 4; it must be odd, because an encoder reads as far to both"),
        ("decoder", {"kernel_size": 0}, "kernel_size is 0"),
        ("decoder", {"dilation": 0}, "dilation is 0"),
        ("decoder", {"pooling": "max"}, "pooling is max"),
        ("encoder", {"n_layers": 0}, "n_layers is 0"),
        ("encoder", {"kernel_size": 2.0}, "kernel_size is 2; it must be a whole number"),
    ],
)
def test_what_cannot_be_built_is_refused(architecture: str, settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config(architecture, **settings)


def test_layers_beyond_the_sequence_cost_no_more_than_their_own_position() -> None:
    """With dilations far longer than the sequence, hardly anything but zeros is read: they are not made."""
    made = network(config("decoder", n_layers=60))
    assert made.config.dilations[-1] == 2**16
    assert made(torch.tensor([[1, 3, 4]])).isfinite().all()


@pytest.mark.parametrize("task", [Copy(), Sentiment(), Dates(), RunningParity(), Needle()])
def test_every_kind_of_network_is_told_by_its_configuration(task: Task) -> None:
    for kind in NETWORKS:
        made = task.network_config(kind)
        task.check_model(made)
        assert network_of(made) == kind
    shape = task.network_config("cnn")
    assert isinstance(shape, ConvolutionalConfig)
    assert shape.reach[0] >= shape.max_len + (shape.source_max_len or 0) - 1


def test_data_of_ones_own_may_be_longer_than_the_example() -> None:
    for own in OWN.values():
        task = own.example.task
        shape = task.convolutional_config()
        assert shape.reach[0] >= min(100, shape.max_len + (shape.source_max_len or 0) - 1)


def test_one_answer_for_a_whole_sequence_needs_pooling() -> None:
    shape = Sentiment().convolutional_config()
    assert shape.pooling == "max"
    with pytest.raises(ConfigError, match="pooling is none"):
        Sentiment().check_model(ConvolutionalConfig.from_dict({**shape.to_dict(), "pooling": "none"}))


@pytest.mark.parametrize(
    ("task", "steps", "target"),
    [(FirstSymbol(distance=10), 300, 0.98), (RunningParity(), 400, 0.98), (Sentiment(), 200, 0.85)],
)
def test_it_learns(task: Task, steps: int, target: float) -> None:
    """One answer by the last state, an answer at each position, one by the maximum of all states."""
    training = TrainConfig(
        steps=steps, batch_size=32, learning_rate=5e-3, target=target, validate_every=25, validation_size=128
    )
    made = build_network(replace(task.convolutional_config(), d_model=24), 0)
    for _ in train(made, task, training):
        pass
    assert evaluate(made, task, "test", 256, 0).score(task.metric) > target - 0.05


def test_gradients_reach_what_is_read() -> None:
    made = build_network(config("encoder-decoder"), 0)
    logits: Tensor = made(torch.tensor([[1, 3, 4]]), torch.tensor([[3, 4, 5]]))
    logits.sum().backward()
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in made.parameters())
