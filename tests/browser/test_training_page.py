"""The Training page in a real browser, with real runs in a real worker."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from attnviz import locale
from attnviz.training import open_run
from tests.browser.conftest import (
    Open,
    address,
    choose,
    expect_no_overflow,
    expect_within,
    in_each_language,
    link_to,
    view,
)

TEACH = ".st-key-teach"


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, key, **params)


def press(page: Page, key: str) -> None:
    """A button of the page, once the page is at rest."""
    page.locator(f".st-key-{key} button").click()


def tell(page: Page, what: str) -> None:
    page.locator(".attnviz .aw-transport").get_by_role("button", name=say(f"watch.{what}"), exact=True).click()


def expect_state(page: Page, state: str) -> Locator:
    root = view(page)
    expect(root).to_have_attribute("data-state", state)
    return root


def test_a_run_is_played_paused_stepped_stopped_and_resumed(open_page: Open, runs_folder: Path) -> None:
    page = open_page(path="training", recipe="parity", steps="100000", batch="8")
    expect(page.locator(TEACH)).to_be_visible()
    press(page, "play")
    root = expect_state(page, "running")
    expect(root).to_have_attribute("data-snapshots", re.compile(r"^[1-9]"))
    tell(page, "pause")
    expect_state(page, "paused")
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    name = address(page)["run"]
    run = open_run(name, runs_folder)
    before = run.state().step
    tell(page, "step_once")
    expect(page.locator(".aw-transport")).to_contain_text(f"{before + 1:,}")
    expect_state(page, "paused")
    page.reload()
    expect_state(page, "paused")
    assert address(page)["run"] == name
    tell(page, "stop")
    expect_state(page, "stopped")
    tell(page, "resume")
    expect_state(page, "running")
    tell(page, "stop")
    expect_state(page, "stopped")
    assert run.state().step > before


def test_pressing_play_fast_makes_one_run(open_page: Open, runs_folder: Path) -> None:
    page = open_page(path="training", recipe="majority", steps="61")
    expect(page.locator(TEACH)).to_be_visible()
    page.locator(".st-key-play button").dblclick()
    view(page)
    page.wait_for_timeout(500)
    made = [
        path for path in runs_folder.glob("majority-*") if open_run(path.name, runs_folder).config.training.steps == 61
    ]
    assert len(made) == 1
    expect_state(page, "done")


def test_a_link_brings_controls_and_run_elsewhere(open_page: Open) -> None:
    page = open_page(path="training", recipe="majority", steps="62", lang="zh", task="length:11")
    press(page, "play")
    expect_state(page, "done")
    link = address(page)
    other = open_page(path="training", **link)
    expect_state(other, "done")
    expect(other.get_by_label(say("training.task", "zh"), exact=True)).to_have_value(say("task.majority.title", "zh"))
    assert link.items() <= address(other).items()  # the view adds the head it chooses


def test_what_was_typed_survives_the_way_to_other_pages_and_back(open_page: Open) -> None:
    text = "It is **so** <b>, $no$ שלום 🎉 " * 12
    page = open_page(path="training", recipe="own-text")
    field = page.get_by_label(say("training.data.own-text"), exact=True)
    expect(page.locator(".st-key-play button")).to_be_disabled()
    field.fill(text)
    field.press("Control+Enter")
    expect(page.locator(".st-key-play button")).to_be_enabled()
    link_to(page, "explorer").click()
    view(page)
    assert "recipe" not in address(page)
    link_to(page, "training").click()
    expect(field).to_have_value(text)
    page.wait_for_function("new URLSearchParams(location.search).get('recipe') === 'own-text'")
    page.evaluate("history.go(-1)")
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).has('model')")
    page.evaluate("history.go(-1)")
    expect(field).to_have_value(text)
    assert "model" not in address(page)


def test_back_returns_to_the_task_before(open_page: Open) -> None:
    page = open_page(path="training", recipe="copy")
    task = page.get_by_label(say("training.task"), exact=True)
    expect(task).to_have_value(say("task.copy.title"))
    page.wait_for_function("new URLSearchParams(location.search).has('lang')")  # the page has written its address
    choose(task, say("task.parity.title"), written=True)
    page.wait_for_function("new URLSearchParams(location.search).get('recipe') === 'parity'")
    expect(page.locator(".st-key-about-task")).to_contain_text("chance")
    page.evaluate("history.back()")
    expect(task).to_have_value(say("task.copy.title"))


def test_settings_follow_each_other_by_keyboard(open_page: Open) -> None:
    page = open_page(path="training", recipe="copy")
    part = page.locator(".st-key-part-model summary")
    part.focus()
    page.keyboard.press("Enter")
    heads = page.locator(".st-key-set-heads input[type=range], .st-key-set-heads [role=slider]")
    expect(heads).to_be_visible()  # what is still closed takes no focus
    heads.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).get('heads') === '3'")
    expect(part).to_contain_text("2 × 3 × 48")
    expect(heads).to_be_visible()
    press(page, "reset")
    page.wait_for_function("!new URLSearchParams(location.search).has('heads')")


def test_the_first_screen_holds_task_play_and_view(open_page: Open) -> None:
    page = open_page(path="training", recipe="majority", steps="63")
    press(page, "play")
    expect_state(page, "done")
    expect_within(page, ".st-key-recipe", ".st-key-play", ".attnviz [data-chart=loss]", ".attnviz .aw-heads")


def test_play_on_a_phone_brings_the_run_into_sight(open_page: Open) -> None:
    page = open_page(390, 844, path="training", recipe="majority", steps="64")
    press(page, "play")
    expect_state(page, "done")
    expect(page.locator(".attnviz .aw-transport")).to_be_in_viewport()


def test_nothing_sticks_out_on_a_phone(open_page: Open) -> None:
    page = open_page(390, 844, path="training", recipe="own-text")
    expect(page.locator(TEACH)).to_be_visible()
    for part in ("task", "model", "training"):
        page.locator(f".st-key-part-{part} summary").click()
    for lang in in_each_language(page):
        expect(page.locator(TEACH)).to_contain_text(say("training.teach.title", lang))
        for part in ("task", "model", "training"):
            expect(page.locator(f".st-key-part-{part} details")).to_have_attribute("open", "")
        expect_no_overflow(page)


def test_chinese_is_chinese(open_page: Open) -> None:
    page = open_page(path="training", lang="zh", recipe="sort")
    expect(page.locator(TEACH)).to_contain_text(say("training.teach.title", "zh"))
    page.locator(".st-key-part-training summary").click()
    english = set(locale.catalogue("en").values()) - set(locale.catalogue("zh").values())
    seen = page.locator("button:visible, label:visible, h2:visible, h3:visible, a:visible").all_inner_texts()
    assert {text.strip() for text in seen} & english == set()


def test_no_page_writes_into_the_address_of_another(open_page: Open) -> None:
    page = open_page(path="training", recipe="copy", layers="3")
    expect(page.locator(TEACH)).to_be_visible()
    link_to(page, "explorer").click()
    view(page)
    for move in (-1, 1, -1, 1):
        page.evaluate(f"history.go({move})")
        page.wait_for_timeout(100)
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).has('model')")
    assert {"recipe", "layers"} & set(address(page)) == set()
    page.evaluate("history.back()")
    page.wait_for_function("new URLSearchParams(location.search).get('layers') === '3'")
    expect(page.locator(TEACH)).to_be_visible()
    assert "model" not in address(page)
