"""The benchmark of fine-tuning: its data, and the whole way on a tiny model."""

from __future__ import annotations

from pathlib import Path

from attnviz.tasks.base import Split
from bench import finetune
from tests.finetuning.conftest import bert

__all__ = ["bert"]  # a fixture

FEW: dict[Split, int] = {"train": 40, "validation": 10, "test": 20}


def words_of(data: str, kinds: tuple[str, ...]) -> set[str]:
    """Words of entities of these types, but for those that forms have, such as "Bank of"."""
    lines = (line.split() for line in data.splitlines() if line)
    fixed = {"&", "Bank", "Bay", "Motors", "New", "Sons", "of", "the"}
    return {word for word, tag in lines if tag[2:] in kinds} - fixed


def test_no_text_or_name_is_on_two_sides() -> None:
    parts = [set(content.splitlines()[1:]) for content in finetune.opinions(FEW).values()]
    assert [len(part) for part in parts] == [40, 10, 20]
    assert len(set.union(*parts)) == 70
    names = finetune.names(FEW)
    sides = [words_of(names[split], ("PER", "LOC", "ORG")) for split in ("train", "test")]
    assert all(sides)
    assert sides[0].isdisjoint(sides[1])


def test_every_score_is_measured(bert: Path) -> None:
    found = {each.figure: each for each in finetune.measure(str(bert), methods="head", steps=2, sizes=FEW)}
    for data, baseline in (("opinions", "bag of words"), ("compositional", "bag of words"), ("names", "word alone")):
        for name in ("most frequent", baseline, "frozen features", "head"):
            assert 0 <= found[f"{data}: {name}"].value <= 1
        assert found[f"{data}: head, training"].value > 0
