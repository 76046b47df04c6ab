"""Judge a checkpoint of a fine-tuned run: on its test data, or on other data; and the findings as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from attnviz.background import Progress
from attnviz.finetuning.baselines import Baseline, baselines
from attnviz.finetuning.evaluation import Report, answers, report
from attnviz.finetuning.tasks import TunedTask
from attnviz.guard import guarded
from attnviz.models.tuned_config import TunedConfig
from attnviz.training.run.folder import Run

__all__ = ["Judgement", "csv_files", "judge"]


@dataclass(frozen=True)
class Judgement:
    """How a checkpoint did.

    Attributes:
        run: name of the run.
        step: step of the checkpoint.
        report: its scores.
        baselines: scores of what needs no tuning, on the same items.
        left_out: items that were left out for a label that the model does not know.
        seen: items whose text the model was trained on.
    """

    run: str
    step: int
    report: Report
    baselines: tuple[Baseline, ...]
    left_out: int
    seen: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = {"run": self.run, "step": self.step, "left_out": self.left_out, "seen": self.seen}
        values |= self.report.to_dict()
        return {**values, "baselines": [each._asdict() for each in self.baselines]}


def judge(
    run: Run, step: int, data: str | None = None, *, beside: bool = True, progress: Progress = lambda done, total: None
) -> Judgement:
    """Judge a checkpoint of a fine-tuned run.

    Args:
        run: its task is a `TunedTask`.
        step: one of `run.checkpoints()`.
        data: as `attnviz.finetuning.reading.read_file` returns them; None: the test split of the run.
        beside: compute the baselines as well.
        progress: is told how many texts were read, of how many; may raise to end it.

    Raises:
        DataUnknownLabels: the model knows no label of the data.
        InputError: the data cannot be read.
        BaseChanged, BaseMissing: the base model is not what it was.
        RunCorrupt: there is no such checkpoint, or it cannot be read.
    """
    task = cast(TunedTask[Any], run.config.task)
    items, left_out = (task.parts["test"], 0) if data is None else task.items_of(data)
    learnt = set(map(task.text_in, task.parts["train"]))
    seen = sum(task.text_in(item) in learnt for item in items)
    total = len(items) + (len(task.parts["train"]) + len(items) if beside else 0)
    done = 0

    def tick(n: int) -> None:
        nonlocal done
        done += n
        progress(done, total)

    tick(0)
    network = run.network(step)
    base = task.base(cast(TunedConfig, run.config.model)) if beside else None
    with guarded(run.name):
        found = report(task, items, answers(network, task, items, tick))
        others: tuple[Baseline, ...] = baselines(task, items, base, tick) if beside else ()
    return Judgement(run.name, step, found, others, left_out, seen)


def csv_files(found: Judgement) -> dict[str, str]:
    """Return the content of three CSV files: "scores", "confusion" and "wrong"."""
    scored, metric = found.report, found.report.metric
    kinds = [("label", scored.labels), ("average", scored.averages)]
    scores: list[Iterable[object]] = [
        (kind, each.name, each.precision, each.recall, each.f1, each.support, "", "", "")
        for kind, group in kinds
        for each in group
    ]
    scores.append(("model", metric, "", "", "", "", scored.score, *scored.interval))
    if scored.macro_interval is not None:
        macro = next(each.f1 for each in scored.averages if each.name == "macro")
        scores.append(("model", "macro F1", "", "", "", "", macro, *scored.macro_interval))
    scores += [("baseline", each.name, "", "", "", "", each.score, *each.interval) for each in found.baselines]
    heads = ("kind", "name", "precision", "recall", "F1", "support", "score", "low", "high")
    rows = zip(scored.names, scored.confusion, strict=True)
    wrong = [
        (each.text, *(" ".join(part) for part in (each.words, each.true, each.said)), each.sure)
        for each in scored.wrong
    ]
    return {
        "scores": _csv(heads, scores),
        "confusion": _csv(("correct \\ answer", *scored.names), [(name, *row) for name, row in rows]),
        "wrong": _csv(("text", "words", "correct", "answer", "probability"), wrong),
    }


def _csv(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([heads, *rows])
    return file.getvalue()
