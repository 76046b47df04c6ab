"""Pairs of one's own on the pages: what is said before Play, the alignment, and the scores of written texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.training import Run, RunConfig, record
from attnviz.training.recipes import own_pairs
from attnviz.ui.training.draft import Draft
from tests.finetuning.conftest import workbook
from tests.ui.pages import address, messages, open_page, turn_to

PAIRS = "\n".join(f"{said} name{n} {end}\tname{n} {said}" for n in range(20) for said in ("hi", "bye") for end in "ab")


def captions(page: AppTest) -> str:
    return "\n".join(each.value for each in page.caption)


def test_limits_are_said_before_play() -> None:
    page = open_page("training", recipe="own-pairs", text=PAIRS, task="vocabulary:100,longest:8")
    assert not page.button(key="play").disabled, messages(page)
    assert "64 pairs for training, 8 for validation, 8 for the test" in captions(page)
    long = open_page(
        "training", recipe="own-pairs", text=PAIRS + "\n" + "hi " * 9 + "\tbye", task="longest:8", lang="zh"
    )
    assert "截断到 8 个 token（去掉末尾）：源文本 1 条" in captions(long)
    same = open_page("training", recipe="own-pairs", text="\n".join(f"a {n}\tb" for n in range(30)))
    assert same.button(key="play").disabled
    assert "same target" in messages(same)
    three = open_page("training", recipe="own-pairs", text=PAIRS.replace("\t", "\tx\t"))
    assert "Which column should be read?" in messages(three)
    assert three.button(key="play").disabled
    three.selectbox(key="task-own-pairs-source_column").set_value(1)
    three.selectbox(key="task-own-pairs-target_column").set_value(3)
    chosen = three.run()
    assert not chosen.button(key="play").disabled, messages(chosen)
    assert address(chosen)["reading"] == "source_column:1,target_column:3"


def test_a_workbook_is_handed_in() -> None:
    page = open_page("training", recipe="own-pairs")
    field = next(each for each in page.file_uploader if str(each.key).startswith("data-own-pairs-file-"))
    rows: list[list[str | int]] = [[f"{n}; is", f"it; is, {n}"] for n in range(30)]
    field.set_value(("pairs.xlsx", workbook(rows, others=("notes",)), ""))
    page = page.run()
    assert not page.button(key="play").disabled, messages(page)
    assert str(page.text_area(key="data-own-pairs").value).splitlines()[3] == "3; is\tit; is, 3"
    assert "Only the sheet `a` is read. Not read: `notes`." in captions(page)
    page.select_slider(key="set-heads").set_value(2)
    page = page.run()
    assert "Not read: `notes`." in captions(page), "another setting changes no file"
    field = next(each for each in page.file_uploader if str(each.key).startswith("held-own-pairs-test-"))
    field.set_value(("test.csv", b'"it; is, 7","7; is, still"', ""))
    page = page.run()
    assert not page.button(key="play").disabled, messages(page)
    assert "The link does not hold your data" in captions(page)
    link = address(page)
    page = turn_to(page, "runs")
    page.query_params.clear()
    for name, value in link.items():
        page.query_params[name] = value
    page = turn_to(page, "training")
    assert address(page) == link
    assert "test.csv" in captions(page), "coming back by a link loses nothing"
    assert not page.button(key="play").disabled, messages(page)


def test_a_file_of_its_own_is_handed_in_for_the_test() -> None:
    page = open_page("training", recipe="own-pairs", text=PAIRS)
    field = next(each for each in page.file_uploader if str(each.key).startswith("held-own-pairs-test-"))
    field.set_value(("judged.tsv", f"{PAIRS.splitlines()[0]}\nnever seen\tby it".encode(), ""))
    page = page.run()
    assert not page.button(key="play").disabled, messages(page)
    said = captions(page)
    assert "72 pairs for training, 8 for validation, 2 for the test" in said
    assert "(apart from capitals, punctuation and spaces): " in said
    assert "1 test sources and 1 test targets" in said
    assert "judged.tsv" in said
    assert not address(page).get("text"), "a link tells no half of the data"
    page.button(key="held-own-pairs-drop-test").click()
    page = page.run()
    assert "64 pairs for training" in captions(page)
    assert address(page)["text"] == PAIRS
    field = next(each for each in page.file_uploader if str(each.key).startswith("held-own-pairs-validation-"))
    field.set_value(("broken.tsv", b"a\tb\nc\t ", ""))
    page = page.run()
    assert page.button(key="play").disabled
    assert "Validation data: Line 2" in messages(page).replace("`", "")


def test_a_run_keeps_its_pairs_and_settings() -> None:
    recipe = own_pairs(PAIRS, "pieces", vocabulary=100, turns=0)
    config = RunConfig.from_dict(RunConfig.of_recipe(recipe).to_dict())
    assert config.task == recipe.task
    draft = Draft.of_run(config)
    assert draft is not None
    assert draft.task == {"unit": "pieces", "vocabulary": 100, "longest": 64, "turns": 0}
    assert draft.config().task == recipe.task
    given = own_pairs(PAIRS, test_text="hi name1 a\tname1 hi")
    draft = Draft.of_run(RunConfig.of_recipe(given))
    assert draft is not None
    assert draft.config().task == given.task


def test_texts_are_scored_and_aligned(runs_folder: Path) -> None:
    recipe = own_pairs(PAIRS)
    settings = replace(recipe.training, steps=20, warmup_steps=1)
    record(Run.create(runs_folder / "mine", RunConfig(recipe.task, recipe.model, settings, recipe=recipe.name)))
    for lang in locale.LANGUAGES:
        page = open_page("runs", run="mine", lang=lang)
        assert page.expander(key="texts").label == locale.t(lang, "texts.title")
        page = open_page("applications", app="translation", model="run/mine@20", lang=lang)
        assert locale.t(lang, "applications.translation.about.own") in captions(page) + messages(page)
        assert locale.t(lang, "applications.alignment.plain") in captions(page)
