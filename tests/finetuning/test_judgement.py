"""A judgement on other data: what was read of long texts, what was learned before, and the three CSV files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

import attnviz
from attnviz.background import Background
from attnviz.errors import DataUnknownLabels, TakesTooLong
from attnviz.finetuning.judgement import csv_files, judge
from attnviz.finetuning.plan import plan
from attnviz.server import evaluation as served
from attnviz.training import Run, record
from tests.finetuning.conftest import WORDS, rows, table

TRAINING = {"steps": 2, "batch_size": 4}
LONG = " ".join(["film"] * 60)


@pytest.fixture(scope="module")
def labels(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = plan(str(bert), {"train": table(rows())}, method="head", training=TRAINING)
    run = Run.create(tmp_path_factory.mktemp("runs") / "labels", made.config)
    record(run)
    return run


def test_both_labels_of_each_text(labels: Run) -> None:
    """One of two opposite labels is always wrong, so every count is known."""
    task: Any = labels.config.task
    learnt = task.parts["train"][0].text
    texts = [LONG, learnt, "a good day"]
    given = table([(text, label) for text in texts for label in task.labels])
    told: list[tuple[int, int]] = []
    found = judge(labels, 2, given, progress=lambda done, total: told.append((done, total)))
    n_read = 6 + len(task.parts["train"]) + 6
    assert told[0] == (0, n_read)
    assert told[-1] == (n_read, n_read)
    assert (found.report.n, found.seen, found.left_out, found.report.accuracy) == (6, 2, 0, 0.5)
    wrong = {each.text: each for each in found.report.wrong}
    assert set(wrong) == set(texts)
    assert wrong[learnt].read == learnt
    assert wrong[LONG].read == " ".join(["film"] * 30), "32 tokens with two special ones"
    assert attnviz.trace(labels.model(2), wrong[LONG].read).logits.softmax(-1).max().item() == pytest.approx(
        wrong[LONG].sure, abs=1e-4
    )

    files = {name: list(csv.DictReader(io.StringIO(content))) for name, content in csv_files(found).items()}
    assert [row["support"] for row in files["scores"][:2]] == ["3", "3"]
    scored = [row for row in files["scores"] if row["kind"] in ("model", "baseline")]
    assert len(scored) == 5
    assert all(float(row["low"]) <= float(row["score"]) <= float(row["high"]) for row in scored)
    assert sum(int(row[label]) for row in files["confusion"] for label in task.labels) == 6
    assert {row["text"] for row in files["wrong"]} == set(texts)
    assert all(row["answer"] != row["correct"] for row in files["wrong"])

    with pytest.raises(DataUnknownLabels, match="'negative', 'positive'"):
        judge(labels, 2, "text,label\na day,other\n")


def test_words_with_wrong_tags_are_named(bert: Path, tmp_path: Path) -> None:
    sentences = [f"{name} B-PER\n{word} O\n" for name in ("good", "bad", "fine") for word in "abcdefgh"]
    made = plan(str(bert), {"train": "\n".join(sentences)}, tags=True, method="head", training=TRAINING)
    run = Run.create(tmp_path / "tags", made.config)
    record(run)
    both = [f"{word} {tag}\n" for word in WORDS[:4] for tag in ("O", "B-PER", "I-PER")]
    found = judge(run, 2, "\n".join([*both, " ".join(["film"] * 40).replace(" ", " O\n") + " O\n"]), beside=False)
    assert found.baselines == ()
    short = [each for each in found.report.wrong if len(each.text.split()) == 1]
    assert len(short) == 8, "two of three tags of each word are wrong"
    for each in short:
        assert each.words == (each.text,)
        assert each.true != each.said
    for each in found.report.wrong:
        assert len(each.read.split()) <= 30


def test_it_is_bounded_in_time_and_computed_anew_after_an_error(labels: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "EVALUATING", Background(seconds=0))
    with pytest.raises(TakesTooLong):
        ended(labels)
    monkeypatch.setattr(served.EVALUATING, "seconds", 600)
    assert ended(labels)["result"].report.n == 6


def ended(run: Run) -> dict[str, Any]:
    """Ask for an evaluation until it is over."""
    while "result" not in (told := served.evaluation(run, 2, None, "somebody")):
        if served.EVALUATING.thread is not None:
            served.EVALUATING.thread.join(0.05)
    return told
