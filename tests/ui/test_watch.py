from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from attnviz import locale
from attnviz.analysis import score_heads
from attnviz.errors import RunBusy
from attnviz.models import AnyConfig
from attnviz.models.network import build_network
from attnviz.tasks import Dates, Needle, Task
from attnviz.tasks.base import IGNORE
from attnviz.tasks.language.sentiment import Sentiment
from attnviz.tasks.signals.digits import Digits
from attnviz.tasks.signals.series import Seasonal
from attnviz.training import RECIPES, Run, RunConfig, RunState, TrainConfig
from attnviz.training.engine.gradients import forward
from attnviz.training.engine.loop import evaluate
from attnviz.training.run.probe import attention_weights
from attnviz.training.run.process import ProcessId
from attnviz.ui.frame.watch import Told, obey, told
from attnviz.view.run_header import run_header
from tests.training.runs import small_run


def run_of(recipe: str) -> Run:
    """A run that is described and never made."""
    return Run(Path(recipe), RunConfig.of_recipe(RECIPES[recipe]))


def run_with(task: Task, model: AnyConfig) -> Run:
    """Likewise, of a network of one's own choice."""
    return Run(Path("run"), RunConfig(task, model, TrainConfig(steps=3, validation_size=8)))


def watched(run: Run) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
    """The probe's sequences as they are told, with the weights of a fresh network on them."""
    network = build_network(run.config.model, 0)
    for batch, sequence in zip(run.probe(), run_header(run)["sequences"], strict=True):
        yield sequence, attention_weights(network, batch)


def test_every_pattern_has_a_name_in_both_languages() -> None:
    headers = [run_header(run_of(recipe)) for recipe in RECIPES]
    keys = {p["key"] for header in headers for sequence in header["sequences"] for p in sequence["patterns"]}
    assert len(keys) >= 10
    for lang in locale.LANGUAGES:
        assert {key for key in keys if not locale.has(lang, key)} == set()


SENTIMENT, DATES, SERIES = Sentiment(), Dates(), Seasonal()
RUNS: dict[str, Run] = {
    **{name: run_of(name) for name in ("reverse", "recall", "dates", "addition", "histogram", "english")},
    "pooled lstm": run_with(SENTIMENT, replace(SENTIMENT.recurrent_config(), pooling="additive")),
    "pooled transformer": run_with(SENTIMENT, replace(SENTIMENT.model_config(), pooling="dot")),
    "read at <bos>": run_with(SENTIMENT, SENTIMENT.model_config()),
    "Bahdanau": run_with(DATES, DATES.recurrent_config()),
    "lstm over its states": run_with(Needle(), replace(Needle().recurrent_config(), attention="dot")),
    "forecast": run_with(SERIES, SERIES.model_config()),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_watched_sequence_is_typed_as_it_is_read(name: str) -> None:
    task = RUNS[name].config.task
    for batch, sequence in zip(RUNS[name].probe(), run_header(RUNS[name])["sequences"], strict=True):
        text, target = sequence["typed"]
        source = task.source_tokenizer
        if source is not None and batch.source is not None:
            assert source.encode(text) == batch.source[0].tolist()
            text = target
        assert [1] * (source is not None) + task.tokenizer.encode(text)[source is not None :] == batch.tokens[
            0
        ].tolist()


@pytest.mark.parametrize("name", RUNS)
def test_the_header_describes_what_a_network_has(name: str) -> None:
    run = RUNS[name]
    header = run_header(run)
    assert json.loads(json.dumps(header)) == header
    for sequence, weights in watched(run):
        assert [site["name"] for site in header["sites"]] == list(weights)
        labels = sequence["labels"]
        for site in header["sites"]:
            assert weights[site["name"]].shape == (
                site["heads"],
                len(labels[site["queries"]]),
                len(labels[site["keys"]]),
            )
        assert set(labels) == {site[side] for site in header["sites"] for side in ("queries", "keys")}


@pytest.mark.parametrize("name", RUNS)
def test_patterns_are_those_that_heads_are_scored_against(name: str) -> None:
    run = RUNS[name]
    header = run_header(run)
    for sequence, weights in watched(run):
        batch = run.probe()[0]
        source = None if batch.source is None else batch.source[0].tolist()
        expected = {p.name: p for p in run.config.task.expected(batch.tokens[0].tolist(), source)}
        assert sequence["patterns"]
        for pattern in sequence["patterns"]:
            site = next(s for s in header["sites"] if (s["stack"], s["kind"]) == (pattern["stack"], pattern["kind"]))
            allowed = weights[site["name"]][0] > 0
            reads = expected[pattern["name"]].reads[: len(allowed)]  # of one that pools: what `<bos>` should read
            found = score_heads(weights[site["name"]], reads, allowed)
            assert pattern["chance"] == pytest.approx(found.chance)
            assert pattern["queries"] == found.n_queries
            assert pattern["pairs"] == (reads & allowed).nonzero().flatten().tolist()


def test_where_attention_pools_its_one_query_should_read_what_the_first_token_should() -> None:
    header = run_header(RUNS["pooled transformer"])
    (sequence, *_) = header["sequences"]
    of_tokens, of_pool = sequence["patterns"]
    assert (of_tokens["stack"], of_tokens["kind"]) == ("encoder", "self")
    assert (of_pool["stack"], of_pool["kind"]) == ("readout", "cross")
    assert of_tokens["pairs"] == of_pool["pairs"]
    assert sequence["labels"]["readout"] == ["<state>"]


def test_a_network_without_attention_has_nothing_to_watch_there() -> None:
    run = run_with(Needle(), Needle().recurrent_config())
    header = run_header(run)
    assert header["sites"] == []
    assert all(sequence["patterns"] == [] for sequence in header["sequences"])
    assert set(header["sequences"][0]["labels"]) == {header["stack"]}
    assert len(header["samples"]) == 6


def test_samples_of_a_forecast_are_its_right_values() -> None:
    header, run = run_header(RUNS["forecast"]), RUNS["forecast"]
    sample, batch = header["samples"][0], run.samples()[0]
    assert batch.values is not None
    scored = batch.targets[0] != IGNORE
    assert (header["predicts"], header["spaced"]) == ("values", {"prompt": True, "answer": True})
    assert sample["answer"] == pytest.approx(batch.values[0, scored].flatten().tolist())
    assert all(len(str(value)) < 8 for value in sample["answer"])  # and not 0.6600000262260437
    assert len(sample["prompt"]) == int(scored.nonzero()[0]) + 1
    assert evaluated(run)[0] == pytest.approx(tuple(forecasts(run)[0]), rel=1e-3)


def evaluated(run: Run) -> tuple[tuple[float, ...], ...]:
    network = build_network(run.config.model, 0)
    config = run.config.training
    return evaluate(network, run.config.task, "validation", config.validation_size, config.seed, samples=6).outputs


def forecasts(run: Run) -> list[list[float]]:
    """What a fresh network says to the samples, at the scored positions."""
    network = build_network(run.config.model, 0).eval()
    with torch.inference_mode():
        return [forward(network, batch)[0, batch.targets[0] != IGNORE].flatten().tolist() for batch in run.samples()]


def test_samples_that_are_pictures_have_them() -> None:
    task = Digits()
    run = run_with(task, task.model_config())
    for sample, batch in zip(run_header(run)["samples"], run.samples(), strict=True):
        assert batch.features is not None
        rows, cols = sample["image"]["rows"], sample["image"]["cols"]
        levels = torch.tensor(sample["image"]["levels"]).view(rows, cols)
        patch = batch.features[0, 1].view(2, 2)  # the first behind `<bos>` is the corner at the left, above
        assert levels[:2, :2].tolist() == (255 * patch).round().int().tolist()
    assert run_header(RUNS["forecast"])["samples"][0]["image"] is None


def test_labels_are_answers() -> None:
    header = run_header(RUNS["pooled lstm"])
    assert header["vocab"] == ["negative", "positive"]
    assert {tuple(sample["answer"]) for sample in header["samples"]} <= {(0,), (1,)}
    assert header["spaced"] == {"prompt": True, "answer": True}
    assert header["samples"][0]["prompt"][0] == "<bos>"


def test_samples_ask_what_is_scored() -> None:
    header, run = run_header(run_of("addition")), run_of("addition")
    sample, batch = header["samples"][0], run.samples()[0]
    assert sample["answer"] == [target for target in batch.targets[0].tolist() if target != IGNORE]
    assert sample["prompt"][-1] == "="
    assert run_header(run_of("recall"))["samples"][0]["prompt"].count("?") == 4  # all of its questions
    dates = run_header(run_of("dates"))["samples"][0]
    assert "".join(dates["prompt"]) == run_of("dates").config.task.source_tokenizer.decode(  # type: ignore[union-attr]
        run_of("dates").samples()[0].source[0].tolist()  # type: ignore[index]
    )
    assert header["vocab"][sample["answer"][0]].isdigit()


def test_the_schedule_is_told_at_its_own_steps() -> None:
    run = run_of("dates")
    rates, training = run_header(run)["rates"], run.config.training
    assert len(rates["values"]) <= 400
    for number, rate in enumerate(rates["values"], 1):
        assert rate == training.rate(number * rates["every"])


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ({"name": "pause", "value": None}, Told("pause")),
        ({"name": "step"}, Told("step")),
        ({"name": "learning_rate", "value": 0.01}, Told("learning_rate", 0.01)),
        ({"name": "submit", "value": 1}, Told("submit", 1.0)),
        ({"name": "delete", "value": None}, None),
        ({"name": ["pause"]}, None),
        ({"name": "speed", "value": "5"}, None),
        ({"name": "speed", "value": True}, None),
        ({"name": "speed", "value": float("nan")}, None),
        ({"name": "speed", "value": 10**400}, None),
        ({"name": "pause", "run": "another"}, None),
        ({"name": "pause", "at": "now"}, None),
        ({"name": "pause", "at": float("inf")}, None),
        ("pause", None),
        (None, None),
    ],
)
def test_only_commands_are_understood(
    sent: object, understood: Told | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attnviz.ui.frame.watch.page_state", lambda kind: kind())
    run = Run.create(tmp_path / "told", RunConfig.of_recipe(RECIPES["copy"]))
    if isinstance(sent, dict):
        sent = {"at": 1.0, "run": run.name, **sent}
    assert told(run, [sent]) == ([] if understood is None else [understood])
    assert told(run, sent) == []


class Queue:
    """What `obey` asks of a queue."""

    def __init__(self, waits: bool = False) -> None:
        self.waits = waits
        self.submitted: list[float | None] = []

    def submit(self, run: Run, learning_rate: float | None = None) -> None:
        if run.state().active:
            raise RunBusy(run.name)
        self.submitted.append(learning_rate)

    def withdraw(self, run: Run) -> bool:
        return self.waits


def sent_to(run: Run) -> list[tuple[str, float | None]]:
    return [(command.name, command.value) for command in run.commands.poll()]


def active_run(folder: Path) -> Run:
    run = small_run(folder)
    run.write_state(RunState("running", process=ProcessId.current()))
    return run


def test_commands_reach_a_run_that_is_trained(runs_folder: Path) -> None:
    run = active_run(runs_folder / "run")
    for name, value in (("pause", None), ("learning_rate", 0.1), ("stop", None)):
        obey(Queue(), run, Told(name, value))
    assert sent_to(run) == [("pause", None), ("learning_rate", 0.1), ("stop", None)]


def test_a_run_that_waits_is_taken_out_of_the_queue(runs_folder: Path) -> None:
    run = active_run(runs_folder / "run")
    obey(Queue(waits=True), run, Told("stop"))
    assert sent_to(run) == [("stop", None)]  # where others read who took it out; whoever starts it again begins anew


def test_a_run_that_nobody_trains_is_told_nothing_but_to_begin(runs_folder: Path) -> None:
    run, queue = small_run(runs_folder / "run"), Queue()
    obey(queue, run, Told("pause"))
    obey(queue, run, Told("submit", 0.001))
    obey(queue, run, Told("submit"))
    assert sent_to(run) == []
    assert queue.submitted == [0.001, None]


def test_two_browsers_that_press_play_start_one_run(runs_folder: Path) -> None:
    with pytest.raises(RunBusy):
        obey(Queue(), active_run(runs_folder / "run"), Told("submit"))
