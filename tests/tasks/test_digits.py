"""Digits in patches: each picture on one side alone, patches where the picture has them, and what rules reach."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.models.network import build_network
from attnviz.tasks.base import IGNORE, SPLITS
from attnviz.tasks.signals.digits import Digits
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import evaluate, train


def test_every_picture_is_on_one_side() -> None:
    task = Digits()
    sides = {split: {tuple(each.pixels.flatten().tolist()) for each in task.pictures(split)} for split in SPLITS}
    assert sum(len(task.pictures(split)) for split in SPLITS) == 1797
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["validation"]
    assert not sides["validation"] & sides["test"]
    assert all({each.label for each in task.pictures(split)} == set(range(10)) for split in SPLITS)


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_patches_are_those_of_the_picture(patch: int) -> None:
    task = Digits(patch)
    pictures = {tuple(each.pixels.flatten().tolist()): each.label for each in task.pictures("test")}
    batch = task.sample(20, Generator().manual_seed(1), "test")
    assert batch.features is not None
    rows = 8 // patch
    assert batch.tokens.shape == (20, rows**2 + 1)
    assert (batch.targets[:, 1:] == IGNORE).all()
    for features, targets in zip(batch.features, batch.targets, strict=True):
        assert not features[0].any(), "<bos> has no numbers"
        pixels = torch.zeros(8, 8)
        for place, numbers in enumerate(features[1:]):
            row, column = place // rows * patch, place % rows * patch
            pixels[row : row + patch, column : column + patch] = numbers.reshape(patch, patch)
        assert torch.equal(task.tokenizer.picture(features), pixels)
        assert pictures[tuple(pixels.flatten().tolist())] == targets[0]


def test_what_is_written_is_what_was_drawn() -> None:
    task = Digits()
    batch = task.sample(5, Generator().manual_seed(2))
    assert batch.features is not None
    for tokens, features in zip(batch.tokens.tolist(), batch.features, strict=True):
        text = task.tokenizer.decode(tokens, features)
        assert task.tokenizer.encode(text) == tokens
        assert torch.equal(task.tokenizer.features(text), features)


def test_texts_are_test_pictures() -> None:
    assert len(Digits().examples()) == 4
    assert all(len(text.split()) == 16 for text in Digits().examples())


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (Digits().sample(8, Generator().manual_seed(seed)).features for seed in (3, 3, 4))
    assert first is not None
    assert again is not None
    assert other is not None
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_rules_reach_what_they_can() -> None:
    scores = dict(Digits().baselines())
    assert 0.05 < scores["most frequent label"] < 0.2
    assert 0.9 < scores["logistic regression"] < 0.99


def test_a_patch_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="patch is 3; choose one of '1', '2', '4'"):
        Digits(3)


@pytest.mark.parametrize("kind", ["transformer", "recurrent"])
def test_networks_learn(kind: str) -> None:
    task = Digits()
    network = build_network(task.model_config() if kind == "transformer" else task.recurrent_config(), 0)
    for _ in train(
        network, task, TrainConfig(steps=75, learning_rate=5e-3, warmup_steps=10, validate_every=75, validation_size=64)
    ):
        pass
    assert evaluate(network, task, "test", 128).accuracy > 0.3, "chance is 0.1"


def test_the_collection_is_the_one_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    data, target = load_digits(return_X_y=True)
    pictures = [picture for split in SPLITS for picture in Digits().pictures(split)]
    own = sorted((*(picture.pixels.flatten() * 16).tolist(), picture.label) for picture in pictures)
    assert own == sorted((*pixels, label) for pixels, label in zip(data.tolist(), target.tolist(), strict=True))
