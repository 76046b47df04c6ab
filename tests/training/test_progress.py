"""Reading on in a run's metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attnviz.errors import RunCorrupt
from attnviz.training.run.progress import Progress, Seen


def line(step: int, accuracy: float | None = None, loss: float = 1.0) -> str:
    values: dict[str, object] = {"step": step, "loss": loss, "learning_rate": 0.1, "seconds": 0.5}
    if accuracy is not None:
        values["validation"] = {"loss": loss, "accuracy": accuracy, "outputs": [[1, 2]]}
    return json.dumps(values) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_there_is_nothing_before_the_first_step(path: Path) -> None:
    assert Progress(path, "accuracy").look() == Seen(0, None)


def test_the_best_value_is_the_highest_accuracy(path: Path) -> None:
    path.write_text(line(1) + line(2, 0.5) + line(3, 0.9) + line(4, 0.7))
    assert Progress(path, "exact match").look() == Seen(4, 0.9, 0.1, 0.5, 1.0)


def test_of_a_loss_the_lowest(path: Path) -> None:
    path.write_text(line(1, 0.5, loss=2.0) + line(2, 0.9, loss=0.4) + line(3, 0.7, loss=0.6))
    assert Progress(path, "nats per symbol").look() == Seen(3, 0.4, 0.1, 0.5, 0.4)


def test_only_what_was_appended_is_read(path: Path) -> None:
    progress = Progress(path, "accuracy")
    path.write_text(line(1, 0.5))
    progress.look()
    read = path.read_bytes()
    path.write_bytes(
        b"x" * (len(read) - 1) + b"\n" + line(2, 0.4).encode()
    )  # the same file: what was read is not read again
    assert progress.look() == Seen(2, 0.5, 0.1, 0.5, 1.0)


def test_half_a_line_waits_for_its_end(path: Path) -> None:
    progress = Progress(path, "accuracy")
    whole = line(2, 0.8)
    path.write_text(line(1) + whole[:40])
    assert progress.look() == Seen(1, None, 0.1, 0.5)
    with path.open("a") as file:
        file.write(whole[40:])
    assert progress.look() == Seen(2, 0.8, 0.1, 0.5, 1.0)


def test_a_file_that_was_replaced_is_read_from_its_beginning(path: Path, tmp_path: Path) -> None:
    progress = Progress(path, "accuracy")
    path.write_text(line(1, 0.9) + line(2, 0.9))
    progress.look()
    other = tmp_path / "other"
    other.write_text(line(1, 0.3))
    other.replace(path)
    assert progress.look() == Seen(1, 0.3, 0.1, 0.5, 1.0)
    path.unlink()
    assert progress.look() == Seen(0, None)


@pytest.mark.parametrize("text", ["nonsense\n", '{"validation": 3}\n', '{"loss": 1}\n', "[1]\n"])
def test_a_line_that_no_run_writes_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    progress = Progress(path, "accuracy")
    for _ in range(2):
        with pytest.raises(RunCorrupt, match=r"metrics\.jsonl"):
            progress.look()
