"""The Runs page as the server builds it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.server import shelf
from attnviz.training import RECIPES, Run, RunConfig, RunState, new_run, open_run
from attnviz.training.run.manage import delete_run
from attnviz.training.run.process import ProcessId
from attnviz.zoo import EXAMPLE_RUNS
from tests.ui.pages import Queue, address, choose, click, messages, open_page, payload, rows, run, tell

pytestmark = pytest.mark.usefixtures("none_come_along")


def made(name: str, recipe: str = "copy", created: str = "2026-01-01T00:00:00+00:00", **state: object) -> Run:
    config = replace(RunConfig.of_recipe(RECIPES[recipe]), created=created)
    made = new_run(config, name)
    made.write_state(RunState(**{"state": "stopped", **state}))  # type: ignore[arg-type]
    return made


def active(name: str, state: str = "running", queued: float = 0.0) -> Run:
    return made(name, state=state, process=ProcessId.current(), queued=queued)


def look(run: Run, accuracy: float, step: int = 50) -> None:
    values = {"step": step, "loss": 1.0, "learning_rate": 0.1, "seconds": 1.0}
    with run.metrics_path.open("a") as file:
        file.write(json.dumps({**values, "validation": {"loss": 0.5, "accuracy": accuracy}}) + "\n")


def chosen(page: AppTest) -> list[str]:
    """The rows that are selected, as the cards have it too."""
    data = payload(page, "cards")
    assert data is not None
    names = [card["name"] for card in data["cards"] if card["isChosen"]]
    selected = page.session_state["runs-table"]["selection"]["rows"]
    assert [list(rows(page))[row] for row in selected] == names
    return names


def test_without_runs_the_page_teaches() -> None:
    page = open_page("runs")
    assert locale.t("en", "runs.teach.title") in [title.value for title in page.header]
    assert payload(page, "cards") is None
    assert address(page) == {"lang": "en"}


def test_the_list_says_what_each_run_is() -> None:
    first = made("first", created="2026-01-01T00:00:00+00:00", state="done", step=60)
    look(first, 0.25)
    look(first, 0.125)
    made("second", "english", created="2026-01-02T00:00:00+00:00")
    page = open_page("runs")
    assert list(rows(page)) == ["second", "first"]
    assert rows(page)["first"] == {
        "act": "Show",
        "name": "first",
        "state": ["done"],
        "task": "Copy a sequence",
        "model": "2 × 2 × 48",
        "parameters": 60_558,
        "step": 60,
        "steps": 1_500,
        "metric": "exact match, %",
        "best": 25.0,
        "rate": 0.003,
        "seed": 0,
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "actions": ["show"],
    }
    assert rows(page)["second"]["best"] is None
    assert chosen(page) == ["second"]


def test_of_a_language_model_the_best_is_a_loss() -> None:
    look(made("story", "english"), 0.9)
    story = rows(open_page("runs"))["story"]
    assert (story["metric"], story["best"]) == ("nats per symbol", 0.5)


def test_the_list_names_cells_and_scores() -> None:
    def shape(name: str, **changes: object) -> str:
        config = RunConfig.of_recipe(RECIPES["dates"])
        model = replace(config.task.recurrent_config(), **changes)  # type: ignore[arg-type]
        new_run(replace(config, model=model, recipe=""), name)
        return str(rows(open_page("runs"))[name]["model"])

    assert shape("bahdanau") == "BiLSTM 1 × 64 + additive"
    assert shape("plain", cell="gru", bidirectional=False, n_layers=2, attention="none") == "GRU 2 × 64"
    assert shape("luong", cell="rnn", attention="scaled_dot") == "BiRNN 1 × 64 + scaled dot"


def test_the_list_names_convolutional_networks() -> None:
    config = RunConfig.of_recipe(RECIPES["dates"])
    new_run(replace(config, model=config.task.convolutional_config(), recipe=""), "cnn")
    assert rows(open_page("runs"))["cnn"]["model"] == "CNN 5 × 48"
    assert "`head`" not in messages(open_page("runs", run="cnn"))  # the link names none


def test_who_waits_sees_the_place() -> None:
    active("b", "queued", queued=2.0)
    active("a", "queued", queued=1.0)
    active("c")
    states = {name: row["state"] for name, row in rows(open_page("runs")).items()}
    assert states == {"a": ["queued", "place 1"], "b": ["queued", "place 2"], "c": ["running"]}


def test_one_is_watched_and_several_are_compared() -> None:
    made("a")
    made("b")
    page = open_page("runs", run="a")
    watched = payload(page, "steer")
    assert watched is not None
    assert (watched["run"], watched["steer"], watched["follow"]) == ("a", True, False)
    page = choose(page, "a", "b")
    compared = payload(page, "runs")
    assert compared is not None
    assert sorted(curve["run"] for curve in compared["runs"]) == ["a", "b"]
    assert address(page)["run"] == "b,a"
    page = choose(page)
    assert payload(page, "steer") is None
    assert locale.t("en", "runs.choose_some") in messages(page)


def test_the_address_chooses_runs_and_says_which_are_missing() -> None:
    made("a")
    made("b")
    page = open_page("runs", run="b,nowhere,a,b")
    assert sorted(chosen(page)) == ["a", "b"]
    assert "`nowhere`" in messages(page)
    assert chosen(open_page("runs", run="<b>,../x")) == ["b"]  # the newest


def test_a_browser_that_passes_over_what_is_chosen_is_told_again() -> None:
    made("a")
    made("b")
    page = open_page("runs", run="a")
    for _ in range(2):
        assert json.loads(page.dataframe[0].proto.selection_state)["selection"]["rows"] == [list(rows(page)).index("a")]
        page = run(page)
    page = choose(page, "b")
    assert page.dataframe[0].proto.selection_state == ""  # a click to come would be undone
    assert chosen(page) == ["b"]


def test_a_run_that_cannot_be_read_is_listed_with_its_reason() -> None:
    broken = made("broken")
    (broken.folder / "config.json").write_text("{")
    made("fine")
    page = open_page("runs", run="fine")
    assert rows(page)["broken"]["state"] == [locale.t("en", "runs.state.unreadable")]
    assert "config.json" in rows(page)["broken"]["task"]
    assert "`" not in rows(page)["broken"]["task"]
    page = choose(page, "broken")
    assert "config.json" in page.error[0].value
    assert payload(page, "steer") is None
    page = click(click(page, "delete"), "delete-now")
    assert list(rows(page)) == ["fine"]
    assert not broken.folder.exists()


def test_damaged_metrics_do_not_hide_the_list() -> None:
    made("a").metrics_path.write_text("nonsense\n")
    made("b")
    page = open_page("runs", run="b")
    assert "metrics.jsonl" in rows(page)["a"]["task"]


def test_what_is_chosen_stays_chosen_when_rows_come_and_go() -> None:
    made("a")
    made("b")
    page = open_page("runs", run="a")
    made("new", created="2027-01-01T00:00:00+00:00")
    assert chosen(run(page)) == ["a"]
    assert list(rows(page)) == ["new", "b", "a"]
    delete_run("b")
    assert chosen(run(page)) == ["a"]


def test_a_run_is_renamed_and_stays_chosen() -> None:
    made("old")
    page = open_page("runs")
    page.text_input(key="new-name-old").set_value("my new one")
    page = click(page, "rename-now")
    assert list(rows(page)) == ["my-new-one"]
    assert chosen(page) == ["my-new-one"]
    assert open_run("my-new-one").name == "my-new-one"


@pytest.mark.parametrize("name", ["", "../x", "taken", "a/b", "x" * 101, "<b>", "‮abc"])
def test_an_impossible_name_is_refused(name: str) -> None:
    made("old")
    made("taken")
    page = open_page("runs", run="old")
    page.text_input(key="new-name-old").set_value(name)
    page = click(page, "rename-now")
    assert page.warning
    assert sorted(rows(page)) == ["old", "taken"]


def test_deleting_asks_first() -> None:
    kept = made("a")
    page = click(open_page("runs"), "delete")
    assert any("`a`" in text.value for text in page.markdown)
    page = click(page, "keep")
    assert kept.folder.exists()
    page = click(click(page, "delete"), "delete-now")
    assert not kept.folder.exists()
    assert locale.t("en", "runs.teach.title") in [title.value for title in page.header]


def test_what_is_under_way_is_neither_renamed_nor_deleted() -> None:
    active("busy")
    page = open_page("runs")
    assert page.button(key="delete").disabled


def test_a_run_can_be_resumed(queue: Queue) -> None:
    made("a", step=20)
    page = open_page("runs")
    tell(page, "submit")
    run(page)
    assert queue.submitted == ["a"]


def test_the_runs_that_come_along_are_only_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "EXAMPLE_RUNS", EXAMPLE_RUNS)
    page = open_page("runs", run="grokking")
    watched = payload(page, "steer")
    assert watched is not None
    assert watched["steer"] is False
    assert "delete" not in [button.key for button in page.button]
    assert locale.t("en", "runs.shipped") in messages(page)
    made("mine")
    listed = rows(run(page))
    assert next(iter(listed)) == "mine"
    assert set(listed) - {"mine"} == {path.name for path in EXAMPLE_RUNS.iterdir()}
    assert listed["grokking"]["state"] == [locale.t("en", "runs.state.recorded")]


def test_without_a_run_of_ones_own_the_example_that_is_told_about_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "EXAMPLE_RUNS", EXAMPLE_RUNS)
    page = open_page("runs")
    assert payload(page, "steer")["run"] == "grokking"  # type: ignore[index]


def test_a_list_that_did_not_change_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made("a")
    look(made("b"), 0.5)
    page = open_page("runs")

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(shelf, "open_run", refuse)
    assert sorted(rows(run(page))) == ["a", "b"]


def test_both_languages_name_every_state() -> None:
    for lang in locale.LANGUAGES:
        made(f"run-{lang}")
        page = open_page("runs", lang=lang)
        assert rows(page)[f"run-{lang}"]["state"] == [locale.t(lang, "runs.state.stopped")]
