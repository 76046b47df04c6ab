"""Six networks side by side: alike in size, fed alike, found again by their names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.models import ConvolutionalConfig, RecurrentConfig, build_network
from attnviz.models.cost import n_parameters
from attnviz.tasks import Batch, FirstSymbol, RunningParity
from attnviz.tasks.base import Split
from attnviz.training import Recording, evaluate, open_run, record, train
from attnviz.training.comparison import (
    CONTENDERS,
    DISTANCES,
    STORIES,
    Curve,
    Facts,
    at_distance,
    comparable,
    configs,
    contenders,
    curve_of,
    distance_of,
    gradient_reach,
    new_group,
    place_of,
    reach_at_start,
    read_curves,
)
from attnviz.training.run.manage import delete_run
from attnviz.zoo import FOLDER

FIRST = at_distance(STORIES["first-symbol"], 10)
SMALL = replace(FIRST, training=replace(FIRST.training, batch_size=4, validate_every=2, validation_size=8))


@pytest.mark.parametrize("name", comparable())
def test_all_six_exist_for_every_task_and_are_of_like_size(name: str) -> None:
    recipe = comparable()[name]
    made = configs(recipe, 3, 1)
    assert tuple(made) == CONTENDERS
    sizes = {contender: n_parameters(config.model) for contender, config in made.items()}
    for contender, size in sizes.items():
        assert abs(size / sizes["transformer"] - 1) < 0.15, (contender, sizes)


@pytest.mark.parametrize("name", ["first-symbol", "running-parity", "dates"])
def test_attention_is_all_that_tells_the_two_lstms_apart(name: str) -> None:
    found = contenders(comparable()[name])
    plain, with_attention = found["lstm"], found["lstm-attention"]
    assert isinstance(plain, RecurrentConfig)
    assert isinstance(with_attention, RecurrentConfig)
    assert plain.attention == "none"
    assert plain.pooling in ("none", "last")
    where = {
        "first-symbol": ("none", "additive"),
        "running-parity": ("scaled_dot", "none"),
        "dates": ("additive", "none"),
    }
    assert (with_attention.attention, with_attention.pooling) == where[name]
    alike = replace(with_attention, attention="none", pooling=plain.pooling, d_model=plain.d_model)
    assert alike == plain


class Watched(FirstSymbol):
    """Keeps what it hands out."""

    handed: list[tuple[Split, Batch]] = []  # noqa: RUF012

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        batch = super().sample(n, generator, split)
        self.handed.append((split, batch))
        return batch


def test_all_contenders_have_the_same_batches_in_the_same_order() -> None:
    task = Watched(distance=10)
    seen: dict[str, list[tuple[Split, Batch]]] = {}
    for name, config in configs(SMALL, 5, 3).items():
        Watched.handed = []
        for _ in train(build_network(config.model, 3), task, config.training):
            pass
        seen[name] = Watched.handed
    first = seen["rnn"]
    assert [split for split, _ in first].count("train") == 5
    for name, handed in seen.items():
        assert [split for split, _ in handed] == [split for split, _ in first], name
        for (_, mine), (_, others) in zip(handed, first, strict=True):
            assert torch.equal(mine.tokens, others.tokens), name
            assert torch.equal(mine.targets, others.targets), name


def test_one_training_configuration_for_all() -> None:
    made = configs(FIRST, 17, 5)
    assert len({config.training for config in made.values()}) == 1
    training = made["gru"].training
    assert (training.steps, training.seed) == (17, 5)
    with pytest.raises(ConfigError, match="steps is 0"):
        configs(FIRST, 0, 5)


def test_a_group_is_made_of_ordinary_runs_and_found_by_name(runs: Path) -> None:
    made = new_group([SMALL], 2, 0)
    assert [place_of(run.name) for run in made] == [(place_of(made[0].name)[0], name) for name in CONTENDERS]  # type: ignore[index]
    assert all(open_run(run.name).config == run.config for run in made)
    others = new_group([SMALL], 2, 0)
    assert len({place_of(run.name)[0] for run in made + others}) == 2  # type: ignore[index]
    delete_run(made[0].name)
    assert sorted(path.name for path in runs.iterdir()) == sorted(run.name for run in made[1:] + others)


def test_a_group_over_all_distances(runs: Path) -> None:
    made = new_group([at_distance(FIRST, distance) for distance in DISTANCES], 2, 0)
    assert len(made) == len(DISTANCES) * len(CONTENDERS)
    assert len({place_of(run.name)[0] for run in made}) == 1  # type: ignore[index]
    assert [distance_of(run.config.task) for run in made[:: len(CONTENDERS)]] == list(DISTANCES)
    assert distance_of(RunningParity()) == 0


@pytest.mark.parametrize(
    "name",
    ["reverse-20260101-120000", "compare-sort-lstm", "compare-sort-20260101-120000.mlp", "compare-20260101-120000.rnn"],
)
def test_other_names_are_no_parts(name: str) -> None:
    assert place_of(name) is None


def test_a_curve_says_what_held_out_data_said(runs: Path) -> None:
    (run, *_) = new_group([SMALL], 5, 0)
    assert curve_of(run, "rnn") == Curve("rnn", 10, 0)
    record(run)
    curve = curve_of(run, "rnn")
    assert curve.steps == (2, 4, 5)
    assert curve.values[-1] == curve.last == evaluate(run.network(5), run.config.task, "validation", 8, 0).accuracy
    assert curve.best("accuracy") == max(curve.values)
    assert curve.best("nats per symbol") == min(curve.values)
    assert curve.seconds == tuple(sorted(curve.seconds))
    assert curve.seconds_per_step == curve.seconds[-1] / 5
    assert (Curve("gru", 0, 0).last, Curve("gru", 0, 0).seconds_per_step, Curve("gru", 0, 0).best("accuracy")) == (
        None,
    ) * 3


@pytest.mark.parametrize("name", CONTENDERS)
def test_the_gradient_is_that_of_the_embeddings(name: str) -> None:
    """Against finite differences of the loss, one embedding moved along its own gradient."""
    task = FirstSymbol(distance=10)
    network = build_network(contenders(FIRST)[name], 0).double()  # type: ignore[index]
    batch = task.sample(1, Generator().manual_seed(0))
    norms = gradient_reach(network, batch)
    assert norms.shape == (12,)
    moved: dict[str, Any] = {"at": 0, "by": torch.zeros(1)}

    def shift(module: Any, given: Any, embedded: torch.Tensor) -> torch.Tensor:
        changed = embedded.detach().clone()
        changed[0, moved["at"]] += moved["by"]
        return changed

    assert network.encoder is not None
    hook = network.encoder.embedding.register_forward_hook(shift)
    width = network.encoder.embedding.embedding_dim
    for at in (1, 11):
        gradient = []
        for i in range(width):
            losses = []
            for sign in (1, -1):
                moved.update(at=at, by=sign * 1e-5 * torch.eye(width, dtype=torch.float64)[i])
                logits = network(batch.tokens)[0, 0]
                losses.append(-logits.log_softmax(-1)[batch.targets[0, 0]].item())
            gradient.append((losses[0] - losses[1]) / 2e-5)
        torch.testing.assert_close(norms[at], torch.tensor(gradient, dtype=torch.float64).norm(), rtol=1e-4, atol=1e-9)
    hook.remove()


def test_gradients_vanish_in_recurrence_and_not_in_attention() -> None:
    found = reach_at_start(at_distance(FIRST, 100), 0)
    assert tuple(found) == CONTENDERS
    for name in ("rnn", "lstm", "gru"):
        assert 0 < found[name][1] < 1e-10 * found[name][-1], name  # type: ignore[index]
    for name in ("lstm-attention", "transformer"):
        assert found[name][1] > 1e-4, name  # type: ignore[index]


def test_no_gradient_reaches_what_a_convolution_does_not_see() -> None:
    recipe = at_distance(FIRST, 50)
    model = contenders(recipe)["cnn"]
    assert isinstance(model, ConvolutionalConfig)
    assert model.reach[0] == 31
    norms = reach_at_start(recipe, 0)["cnn"]
    assert [norm > 0 for norm in norms] == [len(norms) - 1 - at <= 31 for at in range(len(norms))]


def test_what_comes_along_was_measured_with_the_networks_of_today() -> None:
    measured, curves = read_curves(FOLDER / "comparisons" / "first-symbol.json")
    recipe = STORIES["first-symbol"]
    assert measured["task"] == recipe.name
    assert (measured["batch_size"], measured["learning_rate"]) == (
        recipe.training.batch_size,
        recipe.training.learning_rate,
    )
    assert {(curve.contender, curve.distance) for curve in curves} == {(c, d) for c in CONTENDERS for d in DISTANCES}
    assert all(curve.steps[-1] <= measured["steps"] for curve in curves)
    raw = json.loads((FOLDER / "comparisons" / "first-symbol.json").read_text("utf-8"))["curves"]
    for found in raw:
        config = configs(at_distance(recipe, found["distance"]), 1, 0)[found["contender"]]
        facts = Facts.of(config)
        assert (found["parameters"], found["flops"], found["bytes"]) == (facts.parameters, facts.flops, facts.bytes)


def test_recording_is_that_of_other_runs() -> None:
    assert {config.recording for config in configs(FIRST, 1, 0).values()} == {Recording()}
