"""The loop: it learns, repeats itself bit for bit, can be left and entered again, and reports honestly."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from attnviz.models.config import ModelConfig
from attnviz.models.network import Network, build_network
from attnviz.tasks import IGNORE, Addition, Dates, Induction, Recall, Reverse, Sort, Stories, Task
from attnviz.training import RECIPES, Evaluation, Step, TrainConfig, TrainingState, evaluate, train
from attnviz.training.engine.loop import first_batch

TASK = Reverse(n_symbols=5, min_length=2, max_length=4)
SMALL = TrainConfig(steps=12, batch_size=16, warmup_steps=4, validate_every=5, validation_size=40)


def small_network(task: Task = TASK, seed: int = 0) -> Network:
    return build_network(replace(task.model_config(), d_model=16, d_ff=32, n_heads=2), seed)


def weights(network: Network) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_it_learns() -> None:
    settings = TrainConfig(steps=300, batch_size=64, learning_rate=5e-3, target=0.95, validate_every=25)
    network = build_network(replace(TASK.model_config(), d_model=32), 0)
    steps = list(train(network, TASK, settings))
    assert steps[0].loss > 1.5
    assert steps[-1].loss < 0.3
    assert len(steps) < 300, "training should stop at the target"
    assert steps[-1].validation is not None
    assert steps[-1].validation.accuracy >= 0.95
    assert evaluate(network, TASK, "test", 300).accuracy > 0.85


def test_same_configuration_same_weights_bit_for_bit() -> None:
    runs = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)  # must not matter
        network = small_network()
        runs.append((list(train(network, TASK, SMALL)), weights(network)))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])
    other = small_network()
    list(train(other, TASK, replace(SMALL, seed=1)))
    assert not same(runs[0][1], weights(other))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_repeats_itself(name: str) -> None:
    recipe = RECIPES[name]
    training = replace(recipe.training, steps=2, batch_size=4, validation_size=4)
    runs = []
    for _ in range(2):
        network = build_network(recipe.model, recipe.seed)
        steps = list(train(network, recipe.task, training))
        runs.append((steps, weights(network)))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])


def test_validation_comes_at_its_interval_and_at_the_end() -> None:
    steps = list(train(small_network(), TASK, SMALL))
    assert [s.step for s in steps] == list(range(1, 13))
    assert [s.step for s in steps if s.validation] == [5, 10, 12]
    assert [s.step for s in steps if s.accuracy is not None] == [5, 10, 12]
    assert [s.learning_rate for s in steps] == [SMALL.rate(n) for n in range(1, 13)]


def test_training_accuracy_is_that_of_the_batch_before_the_update() -> None:
    network = small_network()
    list(train(network, TASK, replace(SMALL, steps=60, learning_rate=1e-2)))
    batch = TASK.sample(16, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        accuracy = TASK.accuracy(network(batch.tokens, padding=batch.padding), batch)
    assert 0 < accuracy < 1
    assert next(train(network, TASK, replace(SMALL, validate_every=1))).accuracy == accuracy


def test_outputs_are_kept_where_asked_for() -> None:
    network = small_network()
    assert evaluate(network, TASK, "validation", 20).outputs == ()
    batch = first_batch(TASK, SMALL)
    outputs = evaluate(network, TASK, "validation", SMALL.validation_size, SMALL.seed, samples=3).outputs
    with torch.inference_mode():
        said = network(batch.tokens, padding=batch.padding).argmax(-1)
    assert list(outputs) == [tuple(s[t != IGNORE].tolist()) for s, t in zip(said[:3], batch.targets[:3], strict=True)]


def test_looking_changes_nothing() -> None:
    often, never = small_network(), small_network()
    list(train(often, TASK, replace(SMALL, validate_every=1)))
    list(train(never, TASK, replace(SMALL, validate_every=100)))
    assert same(weights(often), weights(never))


def test_a_run_can_be_left_and_gone_on_with() -> None:
    whole = small_network()
    list(train(whole, TASK, SMALL))
    parted = small_network()
    state = TrainingState.begin(parted, SMALL)
    first = list(islice(train(parted, TASK, SMALL, state), 5))
    assert state.step == first[-1].step == 5
    rest = list(train(parted, TASK, SMALL, state))
    assert [s.step for s in rest] == list(range(6, 13))
    assert same(weights(whole), weights(parted))


def test_weight_decay_leaves_biases_and_norms_alone() -> None:
    state = TrainingState.begin(small_network(), TrainConfig(weight_decay=0.3))
    decayed, spared = state.optimizer.param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.3, 0.0)
    assert {p.dim() for p in decayed["params"]} == {2}
    assert {p.dim() for p in spared["params"]} == {1}


def test_gradients_are_clipped_unless_told_not_to() -> None:
    """One plain step of the loop, written out: the same gradient, scaled to the norm or left as it is."""
    norms = []
    for clip in (1e-3, None):
        network = small_network()
        next(train(network, TASK, replace(SMALL, clip=clip)))
        norms.append(float(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]).norm()))
    assert norms[0] == pytest.approx(1e-3, rel=1e-2)
    assert norms[1] > 0.1


def test_divergence_is_said() -> None:
    network = small_network()
    with torch.no_grad():
        network.unembedding.bias.fill_(float("inf"))
    with pytest.raises(FloatingPointError, match=r"the loss is nan at step 1\. Lower the learning rate of 0\.00075"):
        next(train(network, TASK, SMALL))


def test_evaluation_weighs_every_sequence_alike() -> None:
    """300 sequences in chunks give the same numbers as in one piece."""
    network = small_network()
    result = evaluate(network, TASK, "test", 300, seed=3)
    assert result == evaluate(network, TASK, "test", 300, seed=3)
    assert result != evaluate(network, TASK, "test", 300, seed=4)
    chunks = [evaluate(network, TASK, "test", 128, seed=3), result]
    assert chunks[0].loss == pytest.approx(chunks[1].loss, rel=0.1)
    assert 0 <= result.accuracy <= 1


def test_target_of_a_loss_is_reached_from_above() -> None:
    result = Evaluation(loss=0.3, accuracy=0.9)
    assert result.reaches(0.31, "nats per symbol")
    assert not result.reaches(0.29, "nats per symbol")
    assert result.reaches(0.9, "exact match")
    assert not result.reaches(0.91, "accuracy")
    assert (result.score("nats per symbol"), result.score("accuracy")) == (0.3, 0.9)


@pytest.mark.parametrize(
    "task",
    [Sort(), Induction(), Recall(), Addition(), Dates(), Stories("en", length=32), Stories("zh", length=32)],
    ids=lambda task: task.name,
)
def test_padding_changes_no_answer(task: Task) -> None:
    """A sequence alone and the same sequence padded beside longer ones: the same loss."""
    network = small_network(task)
    batch = task.sample(8, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        padded = network(
            batch.tokens, batch.source, padding=batch.padding, source_padding=batch.source_padding
        )  # (B, T, V)
        for row in range(8):
            length = batch.tokens.shape[1] if batch.padding is None else int(batch.padding[row].sum())
            source = None
            if batch.source is not None:
                assert batch.source_padding is not None
                source = batch.source[row : row + 1, : int(batch.source_padding[row].sum())]
            alone = network(batch.tokens[row : row + 1, :length], source)
            torch.testing.assert_close(alone[0], padded[row, :length], rtol=1e-4, atol=1e-5)


def test_first_step_of_a_step_is_plain() -> None:
    step = next(train(small_network(), TASK, SMALL))
    assert isinstance(step, Step)
    assert step.validation is None
    assert ModelConfig.from_dict(TASK.model_config().to_dict()) == TASK.model_config()
