"""Data of one's own on the Training page: shown, asked about, kept in links; and said of them only what holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.errors import DataUnclear
from attnviz.tasks import OwnEntities, OwnLabelled
from attnviz.training import Run, RunConfig, open_run, record
from attnviz.training.recipes import OWN, own_entities, own_labels
from attnviz.ui.training.draft import Draft
from tests.ui.pages import address, messages, open_page, run

REVIEWS = "\n".join(["id;review;sentiment", *(f"{n};good, number {n};{('bad', 'good')[n % 2]}" for n in range(40))])
TAGGED = "\n\n".join(f"1\tname{n}\tB-PER\n2\tsings\tO" for n in range(33))
SALES = "\n".join(["day;sales", *(f"d;{'1.234' if n % 7 else '950'}" for n in range(140))])


def choose(page: AppTest, recipe: str, **choices: Any) -> AppTest:
    for name, value in choices.items():
        page.selectbox(key=f"task-{recipe}-{name}").set_value(value)
    return run(page)


@pytest.mark.parametrize(
    ("recipe", "text", "question", "choices"),
    [
        ("own-labels", REVIEWS, "Which column should be read?", {"text_column": 2, "label_column": 3, "header": "yes"}),
        ("own-entities", TAGGED, "Which column should be read?", {"word_column": 2}),
        ("own-series", SALES, "is 1.234 with a decimal point and 1,234 with a decimal comma", {"decimal": "comma"}),
    ],
)
def test_what_data_do_not_tell_is_asked_and_stays_in_the_link(
    recipe: str, text: str, question: str, choices: dict[str, Any]
) -> None:
    page = open_page("training", recipe=recipe, text=text)
    assert question in messages(page).replace("`", "").replace("1234", "1,234")
    assert page.button(key="play").disabled
    assert len(page.dataframe) == 1, "the first records are shown"
    page = choose(page, recipe, **choices)
    assert not page.button(key="play").disabled, messages(page)
    assert question not in messages(page)
    link = address(page)
    assert link["reading"] == ",".join(
        f"{name}:{choices[name]}" for name in Draft.of_recipe(recipe).reading if name in choices
    )
    again = open_page("training", **link)
    assert not again.button(key="play").disabled
    assert address(again) == link


def test_columns_are_named_by_their_header_and_by_what_they_are() -> None:
    page = open_page("training", recipe="own-labels", text=REVIEWS, reading="text_column:2,label_column:3,header:yes")
    shown = page.dataframe[0].value
    assert list(shown.columns) == ["1 · id", "2 · review · Text", "3 · sentiment · Label"]
    assert shown.iloc[0].tolist() == ["0", "good, number 0", "bad"]
    page.text_area(key="data-own-labels").set_value("another;table\n" + REVIEWS)
    page = run(page)
    assert page.selectbox(key="task-own-labels-header").value == "auto", "what was said of another table is forgotten"
    assert "reading" not in address(page)


def test_starting_over_keeps_the_data_and_how_they_are_read() -> None:
    page = open_page("training", recipe="own-entities", text=TAGGED, reading="word_column:2", seed="5")
    page.button(key="reset").click()
    link = address(run(page))
    assert (link["reading"], link["text"]) == ("word_column:2", TAGGED)
    assert "seed" not in link


def test_a_wrong_choice_in_a_link_is_said() -> None:
    page = open_page("training", recipe="own-labels", text=REVIEWS, reading="header:perhaps,label_column:3")
    assert "header" in messages(page)
    assert address(page)["reading"] == "label_column:3"


def test_a_run_keeps_how_its_data_are_read(runs_folder: Path) -> None:
    recipe = own_labels(REVIEWS, header="yes", text_column=2, label_column=3)
    Run.create(runs_folder / "mine", RunConfig.of_recipe(recipe))
    config = open_run("mine").config
    assert config.task == recipe.task
    draft = Draft.of_run(config)
    assert draft is not None
    assert draft.reading == {"separator": "auto", "header": "yes", "text_column": 2, "label_column": 3}
    assert draft.config().task == recipe.task
    with pytest.raises(DataUnclear):
        OwnLabelled(REVIEWS)


def test_a_run_from_before_there_were_choices_is_read_as_it_was() -> None:
    """A header that was taken for an example stays one: the model of that run has a class for it."""
    text = "\n".join(["review,sentiment", *(f"good {n},{('bad', 'good')[n % 2]}" for n in range(40))])
    task = OwnLabelled(text, header="no")
    values = RunConfig(task, task.model_config(), OWN["own-labels"].example.training).to_dict()
    for name in ("separator", "header", "text_column", "label_column"):
        del values["task"]["parameters"][name]
    assert RunConfig.from_dict(values).task.labels == ("bad", "good", "sentiment")
    columns = "\n\n".join(f"name{n} NNP B-PER\nsings VBZ O" for n in range(33))
    tagged = OwnEntities(columns, word_column=1, tag_column=3)
    values = RunConfig(tagged, tagged.model_config(), OWN["own-entities"].example.training).to_dict()
    for name in ("header", "word_column", "tag_column"):
        del values["task"]["parameters"][name]
    assert RunConfig.from_dict(values).task.tokenizer == tagged.tokenizer


def test_figures_of_own_data_state_how_many_they_are_of(runs_folder: Path) -> None:
    """33 sentences have three for the test; nothing is said of them that holds for the shipped data alone."""
    recipe = own_entities(TAGGED, word_column=2)
    training = replace(recipe.training, steps=2, warmup_steps=1)
    record(Run.create(runs_folder / "mine", RunConfig(recipe.task, recipe.model, training, recipe=recipe.name)))
    page = open_page("applications", app="entities", model="run/mine@2")
    said = "\n".join(each.value for each in (*page.markdown, *page.caption))
    assert locale.t("en", "applications.entities.counted", n="3") in said
    assert locale.t("en", "applications.judged.all", n="3") in said
    assert locale.t("en", "applications.judged.own") in said
    assert "half of the names" not in said
    assert "generator" not in said
    assert page.number_input(key="app-n").max == 3, "no sentence comes twice"
