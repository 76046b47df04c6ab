"""Sweeps on the Training page and on the Runs page, and the server that looks after them."""

from __future__ import annotations

import json
from dataclasses import replace
from math import log10

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.server.sweeps import Tuner, to_start
from attnviz.training import Run, RunState, all_runs, new_run, open_run, record
from attnviz.training.run.manage import delete_run
from attnviz.training.sweep.members import Member
from attnviz.training.sweep.plan import Sweep, all_sweeps, grid, load_sweep, save_sweep
from attnviz.training.sweep.runner import make
from attnviz.training.sweep.search import Span
from attnviz.training.sweep.searcher import search
from attnviz.ui.training.state import TrainingState
from tests.training.runs import small_config
from tests.training.test_sweep import AtOnce
from tests.ui.pages import Queue, address, choose, click, messages, open_page, payload, rows, run, state_of


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, key, **params)


pytestmark = pytest.mark.usefixtures("none_come_along")


def planned(train: bool = True, **settings: object) -> Sweep:
    """A sweep of four tiny runs, two seeds of two learning rates."""
    base = small_config(steps=4, validate_every=2, **settings)
    sweep, configs = grid(base, {"learning_rate": [0.001, 0.01]}, seeds=2)
    for made in make(sweep, configs):
        if train:
            record(made)
    return sweep


def pick(page: AppTest, *names: str) -> AppTest:
    """Choose settings to vary; values are proposed."""
    for place, name in enumerate(names):
        page.selectbox(key=f"sweep-setting-{place}").set_value(name)
        page = run(page)
    return page


def test_several_settings_are_said_and_trained(queue: Queue) -> None:
    page = open_page("training", recipe="copy")
    assert page.button(key="sweep-play").disabled
    page = pick(page, "layers", "lr")
    assert page.multiselect(key="sweep-values-layers").value == [1, 2, 3]
    page.multiselect(key="sweep-values-layers").set_value([1, 2])
    page.number_input(key="sweep-seeds").set_value(2)
    page = run(page)
    assert say("training.sweep.play.grid", n=12) in [button.label for button in page.button]
    assert "12 runs, at most 18,000 steps in all, about" in messages(page)
    assert not list(all_runs())
    page = click(page, "sweep-play")
    (sweep,) = all_sweeps()
    assert isinstance(sweep, Sweep)
    assert (sweep.keys, sweep.kept, len(sweep.runs)) == (("n_layers", "learning_rate"), True, 12)
    assert {made.config.recipe for made in all_runs() if isinstance(made, Run)} == {"copy"}
    assert state_of(page, TrainingState).sweep == sweep.name
    assert queue.submitted == []
    assert Tuner(queue).look() == [sweep.name]
    assert queue.submitted == [planned.name for planned in sweep.runs]


def test_halving_says_how_it_goes() -> None:
    page = pick(open_page("training", recipe="copy", steps="400"), "lr")
    page.toggle(key="sweep-halving").set_value(True)
    told = messages(run(page))
    assert say("training.sweep.rung", step="100", n=2) in told
    assert "9 runs, at most 2,100 steps" in told


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_search_is_planned_and_goes_on_with_the_server(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("training", recipe="copy", steps="40", batch="2", lang=lang)
    assert [kind.key for kind in page.selectbox if str(kind.key).startswith("sweep-")] == ["sweep-setting-0"]
    assert page.segmented_control(key="sweep-how").value == "grid"
    page.segmented_control(key="sweep-how").set_value("search")
    page = pick(run(page), "lr", "layers")
    assert [page.selectbox(key=f"sweep-{end}-lr").value for end in ("low", "high")] == [3e-4, 3e-2]
    for end in ("low", "high"):
        page.selectbox(key=f"sweep-{end}-lr").set_value(1e-3)
    assert locale.told(lang, "sweep_range", {"name": "learning_rate", "low": 0.001, "high": 0.001}) in plain(run(page))
    assert page.button(key="sweep-play").disabled
    page.selectbox(key="sweep-high-lr").set_value(1e-2)
    page.number_input(key="sweep-trials").set_value(22)
    page = run(page)
    assert locale.told(lang, "too_many_planned", {"n": 66, "most": 64}) in plain(page)
    page.number_input(key="sweep-trials").set_value(3)
    page.number_input(key="sweep-seeds").set_value(1)
    page.selectbox(key="sweep-sampler").set_value("random")
    page.selectbox(key="sweep-pruner").set_value("halving")
    page = run(page)
    assert say("training.sweep.looks", lang, steps=["25"]) in messages(page)
    assert "120" in messages(page), "steps of all"
    assert say("training.sweep.together", lang, n=1) in messages(page)
    assert list(all_runs()) == []
    page = click(page, "sweep-play")
    name = state_of(page, TrainingState).sweep
    begun = load_sweep(name)
    assert begun.search is not None
    assert (begun.keys, begun.search.trials, len(begun.runs), begun.kept) == (("learning_rate", "n_layers"), 3, 1, True)
    for _ in range(40):  # each look is that of a server that has just begun
        if not Tuner(AtOnce()).look():
            break
    over = load_sweep(name)
    assert (len(over.runs), over.kept, over.runs[0]) == (3, False, begun.runs[0])
    assert all(1e-3 <= run.values[0] <= 1e-2 for run in over.runs)  # type: ignore[operator]
    assert {each.state().state for each in all_runs() if isinstance(each, Run)} <= {"done", "stopped"}

    monkeypatch.setattr("attnviz.ui.training.sweep.find_spec", lambda _: None)
    page = run(page)
    assert say("training.sweep.no_optuna", lang) in messages(page)
    assert "sweep-play" not in [button.key for button in page.button]


def plain(page: AppTest) -> str:
    return messages(page).replace("`", "")


def test_runs_that_a_search_has_still_to_draw_count_like_its_largest() -> None:
    spans = [
        Span("n_layers", choices=(1, 2)),
        Span("learning_rate", low=0.001, high=0.1),
        Span("n_heads", choices=(1, 5)),
    ]
    sweep, configs = search(small_config(steps=4, validate_every=2), spans, 5, seeds=2)
    asked = list(to_start(sweep, configs, [Member(planned) for planned in sweep.runs]))
    assert len(asked) == 10
    assert asked[:2] == configs
    assert {config.model.n_layers for config in asked[2:]} == {2}


def test_a_combination_that_cannot_be_built_is_said_before(queue: Queue) -> None:
    page = pick(open_page("training", recipe="copy"), "heads")
    page.multiselect(key="sweep-values-heads").set_value([2, 5])
    page = run(page)
    assert "`n_heads=5` cannot be trained" in messages(page)
    assert page.button(key="sweep-play").disabled
    page.multiselect(key="sweep-values-heads").set_value([])
    assert run(page).button(key="sweep-play").disabled


def test_too_many_runs_are_refused_before() -> None:
    page = pick(open_page("training", recipe="copy"), "lr")
    page.multiselect(key="sweep-values-lr").set_value([1e-5, 2e-5, 3e-5, 5e-5, 1e-4, 2e-4, 3e-4])
    page.number_input(key="sweep-seeds").set_value(10)
    assert "make 70 runs; a sweep has from 1 to 64" in messages(run(page))


def test_a_group_is_shown_with_means_and_its_best() -> None:
    sweep = planned()
    page = open_page("runs", sweep=sweep.name)
    assert address(page) == {"lang": "en", "sweep": sweep.name}
    found = rows(page)
    assert [row["runs"] for row in found.values()] == [2, 2]
    assert {row["settings"] for row in found.values()} == {"0.001", "0.01"}
    assert all(row["low"] <= row["mean"] <= row["high"] and row["seconds"] > 0 for row in found.values())
    assert [row["state"] for row in found.values()] == [["2 done"]] * 2
    assert "4 runs: 4 done" in messages(page)
    assert len(page.get("plotly_chart")) == 1


def test_the_best_of_a_combination_opens() -> None:
    sweep = planned()
    page = choose(open_page("runs", sweep=sweep.name), "0")
    name = address(page)["run"]
    assert name.startswith(f"{sweep.name}.")
    assert "sweep" not in address(page)
    assert payload(page, "steer") is not None


def test_the_list_of_groups_leads_to_one_and_back() -> None:
    sweep = planned(train=False)
    page = open_page("runs")
    assert len(rows(page)) == 4
    page.selectbox(key="runs-sweep").set_value(sweep.name)
    page = run(page)
    assert address(page)["sweep"] == sweep.name
    page.selectbox(key="runs-sweep").set_value("")
    assert len(rows(run(page))) == 4


def test_a_group_that_is_gone_is_said() -> None:
    planned(train=False)
    page = open_page("runs", sweep="nothing")
    assert "nothing" in messages(page)
    assert len(rows(page)) == 4


def test_a_group_goes_when_its_last_run_was_deleted() -> None:
    sweep = planned(train=False)
    page = open_page("runs", sweep=sweep.name)
    for number in (1, 2, 3):
        delete_run(f"{sweep.name}.{number}")
    assert sorted(row["runs"] for row in rows(run(page)).values()) == [0, 1]
    delete_run(f"{sweep.name}.4")
    assert payload(run(page), "cards") is None


def test_a_group_is_stopped_goes_on_and_is_forgotten(queue: Queue) -> None:
    sweep = planned(train=False)
    save_sweep(replace(sweep, kept=True))
    Tuner(queue).look()
    page = click(open_page("runs", sweep=sweep.name), "sweep-stop")
    assert not load_sweep(sweep.name).kept
    states = [open_run(planned.name).state().state for planned in sweep.runs]
    assert states == ["stopped"] * 4
    assert Tuner(queue).look() == []
    page = click(run(page), "sweep-go-on")
    assert load_sweep(sweep.name).kept
    before = len(queue.submitted)
    Tuner(queue).look()
    assert len(queue.submitted) == before + 4
    for planned_run in sweep.runs:
        open_run(planned_run.name).write_state(RunState("stopped"))
    save_sweep(replace(sweep, kept=False))
    page = click(run(page), "sweep-forget")
    assert all_sweeps() == []
    assert len(rows(page)) == 4


def test_halved_runs_are_named_so() -> None:
    sweep = planned(train=False)
    open_run(f"{sweep.name}.1").write_state(RunState("stopped", 2, by="halving"))
    open_run(f"{sweep.name}.2").write_state(RunState("stopped", 2, by="rung"))
    found = rows(open_page("runs"))
    assert found[f"{sweep.name}.1"]["state"] == [say("runs.state.halving")]
    assert found[f"{sweep.name}.2"]["state"] == [say("runs.state.rung")]


def test_a_search_is_shown_with_its_ranges() -> None:
    spans = [Span("learning_rate", low=0.001, high=0.1, log=True), Span("n_layers", choices=(1, 2))]
    sweep, configs = search(small_config(steps=4, validate_every=2), spans, 3, sampler="random")
    for made in make(sweep, configs):
        record(made)
    open_run(f"{sweep.name}.3").write_state(RunState("stopped", 2, by="pruner"))
    page = open_page("runs", sweep=sweep.name)
    assert say("runs.sweep.search", sampler=say("runs.sweep.sampler.random"), n=3, most=3) in messages(page)
    assert f"1 {say('runs.state.pruner')}" in messages(page)
    rate, layers, *_ = json.loads(page.get("plotly_chart")[0].proto.spec)["data"][0]["dimensions"]
    assert rate["values"] == pytest.approx([log10(run.values[0]) for run in sweep.runs])  # type: ignore[arg-type]
    assert len(rate["ticktext"]) == 5
    assert set(layers["ticktext"]) <= {"1", "2"}


def test_comparing_says_what_differs() -> None:
    base = small_config(seed=3)
    names = {"a": 0.001, "b": 0.01}
    for name, rate in names.items():
        new_run(replace(base, training=replace(base.training, learning_rate=rate)), name)
    page = open_page("runs", run="a,b")
    compared = payload(page, "runs")
    assert compared is not None
    assert {each["run"]: each["differs"] for each in compared["runs"]} == {
        "a": "Learning rate 0.001",
        "b": "Learning rate 0.01",
    }
    assert {name: row["rate"] for name, row in rows(page).items()} == names


def test_a_server_goes_on_with_a_sweep_and_ends_it(queue: Queue) -> None:
    sweep = planned()
    save_sweep(replace(sweep, kept=True))
    assert Tuner(queue).look() == []
    assert not load_sweep(sweep.name).kept


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_group_is_told_in_both_languages(lang: str) -> None:
    page = open_page("runs", sweep=planned().name, lang=lang)
    assert say("runs.sweep.parallel.about", lang) in messages(page)
