from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from attnviz import locale
from attnviz.analysis import score_heads
from attnviz.errors import RunBusy
from attnviz.models.transformer import build_network
from attnviz.tasks.base import IGNORE
from attnviz.training import RECIPES, Run, RunConfig, RunState
from attnviz.training.probe import attention_weights
from attnviz.training.process import ProcessId
from attnviz.ui.watch import Told, obey, told
from attnviz.view.run_header import run_header
from tests.training.runs import small_run


def run_of(recipe: str) -> Run:
    """A run that is described and never made."""
    return Run(Path(recipe), RunConfig.of_recipe(RECIPES[recipe]))


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


@pytest.mark.parametrize("recipe", ["reverse", "recall", "dates", "addition", "histogram", "english"])
def test_the_header_describes_what_a_network_has(recipe: str) -> None:
    run = run_of(recipe)
    header = run_header(run)
    assert json.loads(json.dumps(header)) == header
    for sequence, weights in watched(run):
        assert [site["name"] for site in header["sites"]] == list(weights)
        own = {"encoder": sequence["source"] or sequence["tokens"], "decoder": sequence["tokens"]}
        for site in header["sites"]:
            keys = sequence["source"] if site["kind"] == "cross" else own[site["stack"]]
            assert weights[site["name"]].shape == (site["heads"], len(own[site["stack"]]), len(keys))


@pytest.mark.parametrize("recipe", ["reverse", "recall", "dates", "addition", "histogram", "english"])
def test_patterns_are_those_that_heads_are_scored_against(recipe: str) -> None:
    run = run_of(recipe)
    header = run_header(run)
    for sequence, weights in watched(run):
        batch = run.probe()[0]
        source = None if batch.source is None else batch.source[0].tolist()
        expected = {p.name: p for p in run.config.task.expected(batch.tokens[0].tolist(), source)}
        assert sequence["patterns"]
        for pattern in sequence["patterns"]:
            site = next(s for s in header["sites"] if (s["stack"], s["kind"]) == (header["stack"], pattern["kind"]))
            allowed = weights[site["name"]][0] > 0
            found = score_heads(weights[site["name"]], expected[pattern["name"]].reads, allowed)
            assert pattern["chance"] == pytest.approx(found.chance)
            assert pattern["queries"] == found.n_queries
            reads = expected[pattern["name"]].reads & allowed
            assert pattern["pairs"] == reads.nonzero().flatten().tolist()


def test_samples_ask_what_is_scored() -> None:
    header, run = run_header(run_of("addition")), run_of("addition")
    sample, batch = header["samples"][0], run.samples()[0]
    assert sample["answer"] == [target for target in batch.targets[0].tolist() if target != IGNORE]
    assert sample["prompt"][-1] == "="
    assert run_header(run_of("recall"))["samples"][0]["prompt"].count("?") == 4  # all of its questions
    assert len(run_header(run_of("dates"))["samples"][0]["source"]) > 0
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
        ("pause", None),
        (None, None),
    ],
)
def test_only_commands_are_understood(sent: object, understood: Told | None) -> None:
    assert told(sent) == understood


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


def test_commands_reach_a_run_that_is_trained(tmp_path: Path) -> None:
    run = active_run(tmp_path / "run")
    for name, value in (("pause", None), ("learning_rate", 0.1), ("stop", None)):
        obey(Queue(), run, Told(name, value))
    assert sent_to(run) == [("pause", None), ("learning_rate", 0.1), ("stop", None)]


def test_a_run_that_waits_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    run = active_run(tmp_path / "run")
    obey(Queue(waits=True), run, Told("stop"))
    assert sent_to(run) == []


def test_a_run_that_nobody_trains_is_told_nothing_but_to_begin(tmp_path: Path) -> None:
    run, queue = small_run(tmp_path / "run"), Queue()
    obey(queue, run, Told("pause"))
    obey(queue, run, Told("submit", 0.001))
    obey(queue, run, Told("submit"))
    assert sent_to(run) == []
    assert queue.submitted == [0.001, None]


def test_two_browsers_that_press_play_start_one_run(tmp_path: Path) -> None:
    with pytest.raises(RunBusy):
        obey(Queue(), active_run(tmp_path / "run"), Told("submit"))
