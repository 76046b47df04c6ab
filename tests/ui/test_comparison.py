"""The Compare page as the server builds it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.figures import comparison as figures
from attnviz.figures.theme import DARK, LIGHT
from attnviz.training import Evaluation, Metrics, Run, all_runs, open_run
from attnviz.training.comparison import CONTENDERS, DISTANCES, Curve, comparable, place_of, read_curves
from attnviz.ui.comparison.shown import MEASURED
from tests.ui.pages import Queue, address, click, messages, open_page, run

NAMES = [figures.contender_name(name, "en") for name in CONTENDERS]


@pytest.fixture(autouse=True)
def queue(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setattr("attnviz.ui.comparison.shown.seconds_per_step", lambda model, batch_size: 0.01)
    return queue


def charts(page: AppTest) -> list[Any]:
    return [json.loads(element.proto.spec) for element in page.get("plotly_chart")]


def table(page: AppTest) -> list[list[str]]:
    (text,) = [element.value for element in page.markdown if element.value.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]


def learn(made: Run, *values: float, state: str = "running") -> None:
    """What a worker would write."""
    lines = [Metrics(25 * (i + 1), 1.0, 1e-3, 0.5 * (i + 1), Evaluation(1.0, v)) for i, v in enumerate(values)]
    made.metrics_path.write_bytes(b"".join(line.to_line() for line in lines))
    made.write_state(replace(made.state(), state=state, step=25 * len(values)))  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_first_visit_shows_what_was_measured(lang: str) -> None:
    page = open_page("comparison", lang=lang)
    steps, seconds, distance, reach = charts(page)
    assert [line["name"] for line in steps["data"]] == [figures.contender_name(name, lang) for name in CONTENDERS]
    assert len(seconds["data"]) == len(reach["data"]) == 6
    assert len(distance["data"]) == 7
    assert [row[-1] for row in table(page)] == [locale.t(lang, "comparison.state.measured")] * 6
    assert locale.catalogue(lang)["comparison.shipped"].partition("{")[0] in messages(page)
    assert address(page) == {"lang": lang}
    said = "\n".join(element.value for element in (*page.markdown, *page.caption, *page.info))
    assert not re.search(r"\{\w+\}", said)
    assert all_runs() == []


def test_before_the_first_look_the_legend_names_what_was_measured(queue: Queue) -> None:
    page = click(open_page("comparison"), "compare-train")
    for chart in charts(page):
        assert {line["name"] for line in chart["data"] if line.get("showlegend", True)} >= set(NAMES)


def test_lines_differ_in_colour_and_in_dash() -> None:
    curves = [Curve(name, 50, 0, (1,), (1.0,), (0.5,)) for name in CONTENDERS]
    for theme in (LIGHT, DARK):
        lines = figures.learning(curves, [], "step", "accuracy", theme).data
        assert len({line.line.color for line in lines}) == len({line.line.dash for line in lines}) == 6


@pytest.mark.parametrize("name", comparable())
def test_every_task_opens(name: str) -> None:
    page = open_page("comparison", task=name)
    assert page.selectbox(key="cmp-recipe").value == name
    assert [row[0] for row in table(page)] == NAMES
    assert not page.error
    assert not page.warning
    if name != "first-symbol":
        assert locale.t("en", "comparison.empty") in messages(page)
        assert charts(page) == []
        assert address(page) == {"lang": "en", "task": name}


def test_training_makes_six_ordinary_runs(queue: Queue) -> None:
    page = open_page("comparison", distance="10", steps="40", seed="3")
    page = click(page, "compare-train")
    assert [place_of(name)[1] for name in queue.submitted] == list(CONTENDERS)  # type: ignore[index]
    made = [open_run(name) for name in queue.submitted]
    assert {(each.config.task.distance, each.config.training.steps, each.config.training.seed) for each in made} == {  # type: ignore[attr-defined]
        (10, 40, 3)
    }
    (group,) = {place_of(name)[0] for name in queue.submitted}  # type: ignore[index]
    assert address(page) == {"lang": "en", "distance": "10", "steps": "40", "seed": "3", "group": group}
    assert [row[-1] for row in table(page)] == [f"queued, place {n}" for n in range(1, 7)]
    page = click(page, "compare-train")
    assert len(queue.submitted) == 6, "a second press makes no second comparison"
    assert locale.t("en", "comparison.under_way") in messages(page)


def test_while_under_way_each_run_is_where_it_is(queue: Queue) -> None:
    page = click(open_page("comparison", task="running-parity"), "compare-train")
    runs = [open_run(name) for name in queue.submitted]
    learn(runs[0], 0.5, 0.75)
    learn(runs[1], 0.5, 1.0, state="done")
    learn(runs[2], state="paused")
    runs[3].write_state(replace(runs[3].state(), state="failed", process=None))
    shutil.rmtree(runs[4].folder)
    page = run(page)
    rows = table(page)
    assert [row[-1] for row in rows] == [
        "running, step 50",
        "done, step 50",
        "paused, step 0",
        "failed, step 0",
        "not trained",
        "queued, place 1",
    ]
    assert [row[-2] for row in rows] == ["75.0%", "100.0%", "–", "–", "–", "–"]
    assert [row[-3] for row in rows] == ["20 ms", "20 ms", "–", "–", "–", "–"]
    steps, seconds = charts(page)
    assert [line["name"] for line in steps["data"]] == NAMES[:2]
    assert list(steps["data"][0]["y"]) == [0.5, 0.75]
    assert list(seconds["data"][0]["x"]) == [0.5, 1.0]
    links = [(link.proto.label, link.proto.query_string) for link in page.get("page_link")]
    assert (NAMES[0], f"run={runs[0].name}") in links
    assert not page.error


def test_damaged_metrics_are_said_and_hide_nothing_else(queue: Queue) -> None:
    page = click(open_page("comparison", task="running-parity"), "compare-train")
    runs = [open_run(name) for name in queue.submitted]
    learn(runs[0], 0.5)
    runs[1].metrics_path.write_bytes(b"{}\n")
    page = run(page)
    assert [row[-1] for row in table(page)][:2] == ["running, step 25", locale.t("en", "comparison.state.unreadable")]


def test_stop_and_go_on(queue: Queue) -> None:
    page = click(open_page("comparison", task="running-parity"), "compare-train")
    page = click(page, "compare-stop")
    assert {open_run(name).state().state for name in queue.submitted} == {"stopped"}
    page = click(page, "compare-go-on")
    assert len(queue.submitted) == 12
    assert {open_run(name).state().state for name in queue.submitted} == {"queued"}


def test_all_distances(queue: Queue) -> None:
    page = click(open_page("comparison"), "compare-train-all")
    assert len(queue.submitted) == len(DISTANCES) * len(CONTENDERS)
    for name in queue.submitted:
        if name.endswith(".rnn"):
            learn(open_run(name), 0.25, state="done")
    page = run(page)
    _, _, chart, _ = charts(page)
    before, line = [each for each in chart["data"] if each["name"] == "RNN"]
    assert (before["showlegend"], line["showlegend"]) == (False, True)
    assert (list(line["x"]), list(line["y"])) == (list(DISTANCES), [0.25] * len(DISTANCES))
    page.segmented_control(key="cmp-distance").set_value(200)
    assert table(run(page))[0][-1] == "done, step 25"


def test_a_comparison_without_the_distance_says_which_it_has(queue: Queue) -> None:
    page = click(open_page("comparison", distance="20"), "compare-train")
    page.segmented_control(key="cmp-distance").set_value(100)
    assert locale.t("en", "comparison.none_at", distances="20") in messages(run(page))


def test_the_address_brings_it_back_and_falls_back_where_it_cannot(queue: Queue) -> None:
    first = address(click(open_page("comparison", distance="20", seed="1"), "compare-train"))
    click(open_page("comparison", distance="20", seed="2"), "compare-train")
    page = open_page("comparison", **first)
    assert address(page) == first
    page = open_page("comparison", task="no", distance="7", steps="0", seed="x", group="gone")
    said = messages(page)
    assert "task, steps, seed, distance" in said.replace("`", "")
    assert "gone" in said
    assert page.number_input(key="cmp-steps").value == comparable()["first-symbol"].training.steps


def test_the_newest_comparison_is_shown_first_and_others_can_be_chosen(queue: Queue) -> None:
    page = click(open_page("comparison", task="running-parity", seed="1"), "compare-train")
    page.number_input(key="cmp-seed").set_value(2)
    page = click(run(page), "compare-train")
    options = page.selectbox(key="cmp-group").options
    assert len(options) == 2
    assert "seed 2" in messages(page)
    page.selectbox(key="cmp-group").set_value(next(o for o in options if o != page.selectbox(key="cmp-group").value))
    assert "seed 1" in messages(run(page))


def test_runs_that_cannot_be_made_are_said(queue: Queue, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "file"))
    page = click(open_page("comparison"), "compare-train")
    assert "cannot be written" in messages(page)
    assert queue.submitted == []


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_the_page_says_whether_the_convolutional_network_sees_the_first_symbol(lang: str, queue: Queue) -> None:
    for distance, where in (("20", "in"), ("50", "out")):
        page = open_page("comparison", distance=distance, lang=lang)
        numbers = {"layers": 5, "kernel": 3, "before": 31, "distance": distance, "chance": "12.5%"}
        said = "\n".join(element.value for element in page.markdown)
        assert locale.t(lang, f"comparison.sight.{where}", **numbers) in said
        _, before = read_curves(MEASURED)
        last = next(each.last for each in before if each.contender == "cnn" and each.distance == int(distance))
        assert locale.t(lang, "comparison.sight.last", last=f"{last:.1%}") in said
        more = [link.proto.query_string for link in page.get("page_link") if "network=cnn" in link.proto.query_string]
        assert more == (["recipe=first-symbol&network=cnn&layers=6&task=distance%3A50"] if where == "out" else [])


def test_other_tasks_are_said_how_far_the_convolutional_network_sees(queue: Queue) -> None:
    page = open_page("comparison", task="running-parity")
    numbers = {"n": 31, "before": 30, "after": 0, "length": 16}
    assert locale.t("en", "training.sees.far", **numbers) in messages(page)


def test_every_word_is_there() -> None:
    for lang in locale.LANGUAGES:
        for recipe in comparable().values():
            assert locale.has(lang, f"task.{recipe.name}.title")
            assert figures.metric_name(recipe.task.metric, lang)
