"""The Training page as the server builds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.models import ConvolutionalConfig
from attnviz.server import shelf
from attnviz.training import RECIPES, Metrics, Recording, RunConfig, RunState, all_runs, new_run, open_run
from attnviz.training.recipes import OWN
from attnviz.training.run.state import Phase
from attnviz.ui.training.draft import SETTINGS, recipe_names
from attnviz.zoo import EXAMPLE_RUNS
from tests.tiny import MARKUP
from tests.ui.pages import Queue, address, click, messages, open_page, payload, run, tell, turn_to

TEXT = "From fairest creatures we desire increase, that thereby beauty's rose might never die. " * 4


@pytest.fixture(autouse=True)
def queue(queue: Queue, none_come_along: None, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setattr("attnviz.ui.training.page.seconds_per_step", lambda model, batch_size: 0.01)
    return queue


def watched(page: AppTest) -> str | None:
    data = payload(page, "steer")
    return None if data is None else str(data["run"])


def choose(page: AppTest, **values: object) -> AppTest:
    """Set controls as their keys say."""
    for name, value in values.items():
        page.session_state[name.replace("__", "-")] = value
    return run(page)


@pytest.mark.parametrize("name", recipe_names())
def test_every_task_opens_with_its_recipe_and_says_what_it_is(name: str) -> None:
    page = open_page("training", recipe=name)
    assert page.selectbox(key="recipe").value == name
    assert locale.has("en", f"task.{name}.title")
    assert not page.error
    assert page.button(key="play").disabled == (name in OWN)
    assert {key: value for key, value in address(page).items() if key != "lang"} == {"recipe": name}
    if name in RECIPES:
        assert page.code[0].value.count("\n") >= 1
        assert "parameters" in messages(page)


def test_the_first_visit_teaches() -> None:
    page = open_page("training")
    assert watched(page) is None
    assert locale.t("en", "training.teach.title") in [title.value for title in page.header]
    page = click(page, "suggest-reverse")
    assert watched(page) is not None
    assert page.selectbox(key="recipe").value == "reverse"


def test_play_makes_a_run_and_queues_it(queue: Queue) -> None:
    page = click(choose(open_page("training", recipe="copy"), set__layers=3, set__seed=7), "play")
    (name,) = queue.submitted
    config = open_run(name).config
    assert (config.recipe, config.model.n_layers, config.training.seed) == ("copy", 3, 7)
    assert watched(page) == name
    assert address(page) == {"recipe": "copy", "layers": "3", "seed": "7", "run": name, "lang": "en"}


def test_a_convolutional_network_is_chosen_and_says_how_far_it_sees(queue: Queue) -> None:
    page = choose(open_page("training", recipe="first-symbol"), set__network="cnn")
    assert not page.error
    page = choose(open_page("training", recipe="first-symbol", network="cnn", layers="5"))
    numbers = {"n": 63, "before": 31, "after": 31, "length": 52}
    assert locale.t("en", "training.sees.near", **numbers) in messages(page)
    page = click(choose(page, set__layers=6, set__kernel=5), "play")
    assert locale.t("en", "training.sees.far", **{**numbers, "n": 253, "before": 126, "after": 126}) in messages(page)
    (name,) = queue.submitted
    model = open_run(name).config.model
    assert isinstance(model, ConvolutionalConfig)
    assert (model.n_layers, model.kernel_size, model.dilation, model.pooling) == (6, 5, 2, "last")


def test_a_second_press_shows_the_run_and_offers_another_seed(queue: Queue) -> None:
    page = open_page("training", recipe="copy")
    assert page.button(key="play").proto.type == "primary"
    page = click(page, "play")
    assert page.button(key="play").proto.type == "secondary"  # the run's own buttons come next
    assert "again" not in {button.key for button in page.button}
    page = click(page, "play")
    (first,) = queue.submitted
    assert locale.t("en", "training.joined.active", name=f"`{first}`") in messages(page)
    page = click(page, "again")
    assert [open_run(name).config.training.seed for name in queue.submitted] == [0, 1]
    assert watched(page) == queue.submitted[1]
    assert address(page)["seed"] == "1"
    assert "again" not in {button.key for button in page.button}


def test_what_somebody_has_trained_is_shown_and_not_trained_again(queue: Queue) -> None:
    done = new_run(RunConfig.of_recipe(RECIPES["sort"], Recording(every=3)), "theirs")
    done.write_state(RunState("done", 1500))
    for seed in (1, 2):
        new_run(RunConfig.of_recipe(RECIPES["sort"].changed(seed=seed)))
    page = click(open_page("training", recipe="sort"), "play")
    assert queue.submitted == []
    assert watched(page) == "theirs"
    assert payload(page, "steer")["replay"] == 1  # type: ignore[index]
    assert locale.t("en", "training.joined.done", name="`theirs`") in messages(page)
    other = choose(page, set__layers=3)
    assert "again" not in {button.key for button in other.button}
    page = click(choose(other, set__layers=RECIPES["sort"].model.n_layers), "again")
    assert open_run(queue.submitted[0]).config.training.seed == 3


@pytest.mark.parametrize("state", ["stopped", "failed", "interrupted"])
def test_a_run_that_came_to_nothing_is_not_joined(queue: Queue, state: Phase) -> None:
    ended = new_run(RunConfig.of_recipe(RECIPES["sort"]), "ended")
    ended.write_state(RunState(state, 3))
    page = click(open_page("training", recipe="sort"), "play")
    assert watched(page) == queue.submitted[0] != "ended"


def test_a_run_whose_learning_rate_was_changed_is_not_joined(queue: Queue) -> None:
    changed = new_run(RunConfig.of_recipe(RECIPES["sort"]), "changed")
    changed.metrics_path.write_bytes(Metrics(1500, 0.1, 0.5, 9.0).to_line())
    changed.write_state(RunState("done", 1500))
    page = click(open_page("training", recipe="sort"), "play")
    assert watched(page) == queue.submitted[0] != "changed"


def test_a_recorded_run_is_shown_at_once(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "EXAMPLE_RUNS", EXAMPLE_RUNS)
    page = click(open_page("training", recipe="reverse"), "play")
    assert queue.submitted == []
    assert watched(page) == "reverse-recorded"
    data = payload(page, "steer")
    assert data is not None
    assert (data["steer"], data["recorded"]) == (False, True)
    assert locale.t("en", "training.joined.recorded") in messages(page)
    page = click(page, "again")
    assert watched(page) == queue.submitted[0]
    assert all_runs() == [open_run(queue.submitted[0])]


def test_the_address_brings_back_controls_and_run() -> None:
    made = new_run(RunConfig.of_recipe(RECIPES["sort"]))
    link = {"recipe": "reverse", "layers": "1", "lr": "0.01", "task": "n_symbols:5", "run": made.name, "lang": "zh"}
    page = open_page("training", **link)
    assert watched(page) == made.name
    assert address(page) == link
    assert page.select_slider(key="set-layers").value == 1
    assert page.slider(key="task-reverse-n_symbols").value == 5
    assert page.button(key="play").label == locale.t("zh", "training.play")


def test_a_link_to_a_run_alone_brings_its_settings(queue: Queue) -> None:
    first = choose(open_page("training", recipe="own-text", text=TEXT), set__heads=2, set__lr=0.001)
    name = address(click(first, "play"))["run"]
    page = open_page("training", run=name)
    assert watched(page) == name
    assert page.text_area(key="data-own-text").value == TEXT
    assert page.select_slider(key="set-lr").value == 0.001


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_link_to_nowhere_falls_back_and_says_so(lang: str) -> None:
    page = open_page("training", run="../x", recipe="nonsense", lang=lang)
    assert watched(page) is None
    assert page.selectbox(key="recipe").value == "induction"
    said = messages(page)
    assert locale.t(lang, "error.run_not_found", name="`../x`") in said
    assert locale.t(lang, "page.wrong_link", names="`recipe`") in said
    assert "`../x`" not in messages(run(page))


def test_impossible_widths_are_not_offered() -> None:
    page = open_page("training", recipe="induction")
    page.select_slider(key="set-heads").set_value(5)
    page = run(page)
    offered = [int(option) for option in page.select_slider(key="set-d_model").options]
    assert offered
    assert all(width % 5 == 0 and width // 5 % 2 == 0 for width in offered)
    assert page.select_slider(key="set-d_model").value in offered
    assert not page.button(key="play").disabled


def test_too_much_memory_is_refused_before_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTNVIZ_TRAIN_MEMORY_MB", "8")
    page = choose(open_page("training", recipe="english"), set__batch=2048)
    assert page.button(key="play").disabled
    assert "GiB" in page.warning[0].value or "MiB" in page.warning[0].value


def test_the_recipes_settings_come_back() -> None:
    page = open_page("training", recipe="copy", layers="4", seed="3", task="max_length:20")
    page = click(page, "reset")
    assert address(page) == {"recipe": "copy", "lang": "en"}


def test_another_task_brings_its_own_settings() -> None:
    page = open_page("training", recipe="copy", layers="4")
    page.selectbox(key="recipe").set_value("modular")
    page = run(page)
    assert page.select_slider(key="set-decay").value == 1.0
    assert address(page) == {"recipe": "modular", "lang": "en"}


@pytest.mark.parametrize("text", ["", "   ", "short", "a" * 5000])
def test_a_text_that_teaches_nothing_is_refused(text: str, queue: Queue) -> None:
    page = open_page("training", recipe="own-text")
    page.text_area(key="data-own-text").set_value(text)
    page = run(page)
    assert page.button(key="play").disabled
    assert page.info or page.warning
    assert queue.submitted == []


@pytest.mark.parametrize(
    "text", [TEXT * 15, "从前有一只兔子，名字叫朵朵。" * 400, "😀🎉 " * 90, "שלום עולם " * 40, MARKUP * 30]
)
def test_any_other_text_can_be_learned(text: str, queue: Queue) -> None:
    page = open_page("training", recipe="own-text")
    page.text_area(key="data-own-text").set_value(text)
    page = click(run(page), "play")
    assert open_run(queue.submitted[0]).config.task.text == text  # type: ignore[attr-defined]
    assert not page.error
    assert {said.value for said in page.warning} <= {
        locale.t("en", "page.too_long")
    }  # a link does not hold all of them


def test_commands_reach_the_run(queue: Queue) -> None:
    page = click(open_page("training", recipe="copy"), "play")
    made = open_run(queue.submitted[0])
    made.write_state(replace(made.state(), state="running"))
    first = tell(page, "learning_rate", 0.01)
    run(page)
    tell(page, "pause", None, first)  # told again, it is not heard again
    run(page)
    assert [(each.name, each.value) for each in made.commands.poll()] == [("learning_rate", 0.01), ("pause", None)]


def test_a_run_that_waits_is_withdrawn(queue: Queue) -> None:
    page = click(open_page("training", recipe="copy"), "play")
    tell(page, "stop")
    run(page)
    assert open_run(queue.submitted[0]).state().state == "stopped"


def test_a_command_that_comes_too_late_is_answered(queue: Queue) -> None:
    page = click(open_page("training", recipe="copy"), "play")
    made = open_run(queue.submitted[0])
    made.write_state(replace(made.state(), state="done"))
    tell(page, "pause")
    page = run(page)
    assert locale.t("en", "training.not_under_way", name=f"`{made.name}`") in messages(page)


def test_a_folder_that_cannot_be_written_to_is_said(runs_folder: Path, queue: Queue) -> None:
    runs_folder.write_text("not a folder")
    page = click(open_page("training", recipe="copy"), "play")
    assert "cannot be written" in messages(page)
    assert watched(page) is None
    assert queue.submitted == []


def test_a_run_that_was_deleted_meanwhile_leaves_the_page_alive(queue: Queue) -> None:
    page = click(open_page("training", recipe="copy"), "play")
    (open_run(queue.submitted[0]).folder / "config.json").unlink()
    page = run(page)
    assert "`" + queue.submitted[0] + "`" in page.error[0].value
    assert watched(page) is None
    assert all_runs() == []


def test_who_would_have_to_share_or_to_wait_is_told(queue: Queue) -> None:
    click(open_page("training", recipe="copy"), "play")
    seconds = 2 * 0.01 * RECIPES["sort"].training.steps
    shared = locale.t(
        "en", "training.shared", n=1, cores=1, time=locale.t("en", "training.time.seconds", n=int(seconds))
    )
    assert shared in messages(open_page("training", recipe="sort"))
    queue.waiting = 2
    assert locale.t("en", "training.ahead", n=2) in messages(open_page("training", recipe="sort"))


def test_settings_are_kept_while_another_page_is_visited() -> None:
    page = choose(open_page("training", recipe="own-text"), data__own__text=TEXT, set__steps=77)
    page.query_params.clear()
    page = turn_to(page, "explorer")
    page = turn_to(page, "training")
    assert page.text_area(key="data-own-text").value == TEXT
    assert page.number_input(key="set-steps").value == 77


def test_every_setting_has_its_words() -> None:
    for lang in locale.LANGUAGES:
        for name in SETTINGS:
            assert locale.has(lang, f"training.set.{name}")
            assert locale.has(lang, f"training.help.{name}")
        for recipe in RECIPES.values():
            for choice in type(recipe.task).choices():
                assert locale.has(lang, f"training.parameter.{choice.name}")
