"""A text of one's own: cut without overlap, and refused with words that help when nothing can be learned from it."""

from __future__ import annotations

from math import log

import pytest
from torch import Generator

from attnviz.errors import AttnvizError, EmptyText, OneCharacter, TextTooShort
from attnviz.tasks import OwnText
from attnviz.tasks.base import SPLITS
from attnviz.training import RECIPES
from attnviz.training.recipes import own_text
from tests.refused import refused

TEXT = "".join(f"{i} is {i * i}. " for i in range(60))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (" \n\t ", EmptyText()),
        ("aaaa", OneCharacter("a")),
        ("字" * 500, OneCharacter("字")),
        ("ab" * 79 + "a", TextTooShort(159, 160, 40)),
    ],
)
def test_texts_to_learn_nothing_from_are_refused(text: str, error: AttnvizError) -> None:
    with refused(error):
        OwnText(text, length=40)


@pytest.mark.parametrize("text", ["ab" * 80, TEXT, "春眠不觉晓，处处闻啼鸟。" * 20])
def test_the_parts_are_the_text(text: str) -> None:
    task = OwnText(text, length=40)
    assert "".join(task.parts[split] for split in ("train", "validation", "test")) == text
    for split in SPLITS:
        batch = task.sample(20, Generator().manual_seed(3), split)
        assert batch.tokens.shape == (20, 40)
        assert batch.tokens[0, 0] == task.tokenizer.bos_id
        for row in batch.targets.tolist():
            assert task.tokenizer.decode(row) in task.parts[split]


def test_a_long_text_is_cut_into_tenths() -> None:
    task = OwnText("ab" * 500, length=20)
    assert [len(task.parts[split]) for split in SPLITS] == [800, 100, 100]


def test_the_text_is_not_shown_where_a_task_is_printed() -> None:
    assert "square" not in repr(OwnText("square roots " * 40))


def test_the_recipe_aims_at_more_than_frequencies() -> None:
    recipe = own_text("ab" * 200)
    assert recipe.target == pytest.approx(log(2))
    assert recipe.exempt
    assert recipe.name not in RECIPES
