"""The Runs page in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from attnviz import locale
from attnviz.training import RECIPES, Run, RunConfig, record
from tests.browser.conftest import (
    Open,
    address,
    card,
    click_row,
    expect_no_overflow,
    in_each_language,
    link_to,
    row,
    until,
    view,
)
from tests.training.runs import small_run


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, f"runs.{key}", **params)


def wait_for_runs(page: Page, names: str) -> None:
    page.wait_for_function("names => new URLSearchParams(location.search).get('run') === names", arg=names)


@pytest.fixture
def runs(runs_folder: Path, request: pytest.FixtureRequest) -> list[Run]:
    """Two short runs with names of this test's own."""
    names = [
        f"{request.node.name.removeprefix('test_').translate(dict.fromkeys(map(ord, '[]-')))[:60]}-{letter}"
        for letter in "ab"
    ]
    made = [small_run(runs_folder / name, steps=8) for name in names]
    for run in made:
        record(run)
    return made


def expect_chosen(page: Page, name: str, is_chosen: bool = True) -> None:
    expect(row(page, name)).to_have_attribute("aria-selected", "true" if is_chosen else "false")


def test_a_run_is_chosen_and_several_are_compared(open_page: Open, runs: list[Run]) -> None:
    first, second = (run.name for run in runs)
    page = open_page(path="runs", run=first)
    expect(view(page)).to_have_attribute("data-state", "done")
    expect(row(page, first)).to_contain_text(say("state.done"))
    expect_chosen(page, first)
    click_row(page, second)
    page.wait_for_function("new URLSearchParams(location.search).get('run')?.includes(',')")
    expect(view(page)).to_have_attribute("data-points", "8 8")
    click_row(page, second, 1)
    wait_for_runs(page, second)
    expect(view(page)).to_have_attribute("data-state", "done")
    expect_chosen(page, first, False)
    page.evaluate("history.back()")
    page.wait_for_function("new URLSearchParams(location.search).get('run')?.includes(',')")
    expect_chosen(page, first)


def test_cards_fit_a_phone_and_choose_and_compare(open_page: Open, runs: list[Run]) -> None:
    first, second = (run.name for run in runs)
    page = open_page(390, 844, path="runs", run=first)
    view(page)
    for lang in in_each_language(page):
        expect(card(page, first)).to_contain_text(say("state.done", lang))
        expect_no_overflow(page)
    expect(card(page, first).get_by_role("checkbox")).to_be_checked()
    expect(page.locator(".stDataFrame")).to_be_hidden()
    card(page, second).get_by_role("checkbox").check()
    page.wait_for_function("new URLSearchParams(location.search).get('run')?.includes(',')")
    card(page, second).get_by_role("button").click()
    wait_for_runs(page, second)
    expect(card(page, first).get_by_role("checkbox")).not_to_be_checked()


def test_a_run_is_renamed(open_page: Open, runs: list[Run]) -> None:
    run = runs[0]
    page = open_page(path="runs", run=run.name)
    expect(view(page)).to_have_attribute("data-state", "done")  # nothing more is asked under the old name
    page.locator(".st-key-actions").get_by_role("button", name=say("rename")).click()
    field = page.get_by_label(say("new_name"), exact=True)
    field.fill("../no")
    field.press("Enter")
    page.locator(".st-key-rename-now button").click()
    expect(page.get_by_role("alert").first).to_contain_text("../no")
    field.fill("quite another name")
    field.press("Enter")
    page.locator(".st-key-rename-now button").click()
    wait_for_runs(page, "quite-another-name")
    expect_chosen(page, "quite-another-name")


def test_deleting_asks_first(open_page: Open, runs: list[Run]) -> None:
    run = runs[0]
    page = open_page(path="runs", run=run.name)
    expect(view(page)).to_have_attribute("data-state", "done")  # nothing more is asked of it
    page.locator(".st-key-delete button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(run.name)
    dialog.get_by_role("button", name=say("keep")).click()
    expect(dialog).to_have_count(0)
    assert run.folder.exists()
    page.locator(".st-key-delete button").click()
    dialog.get_by_role("button", name=say("delete_now")).click()
    expect(row(page, run.name)).to_have_count(0)
    expect(dialog).to_have_count(0)
    assert not run.folder.exists()


# Reads the row of a run, wherever it is; a table has only the rows that are in sight, so it is moved on.
TOLD = """name => {
  const rows = [...document.querySelectorAll(".stDataFrame canvas tbody tr")];
  const cells = rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent));
  const at = cells.findIndex((texts) => texts.includes(name));
  if (at >= 0) return { cells: cells[at], isChosen: rows[at].ariaSelected === "true" };
  const table = document.querySelector(".stDataFrame .dvn-scroller");
  const isAtEnd = table.scrollTop + table.clientHeight >= table.scrollHeight - 1;
  table.scrollTop = isAtEnd ? 0 : table.scrollTop + 100;
  return false;
}"""


def told(page: Page, name: str) -> dict[str, Any]:
    """Return the cells of a row at this moment: others have been made since, and rows change their places."""
    said: dict[str, Any] = page.wait_for_function(TOLD, arg=name, polling=200).json_value()
    return said


def test_the_list_follows_a_run_that_is_under_way(open_page: Open, runs_folder: Path) -> None:
    page = open_page(path="training", recipe="parity", steps="100000", seed="64", batch="8")
    page.locator(".st-key-play button").click()
    expect(view(page)).to_have_attribute("data-state", "running")
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    name = address(page)["run"]
    link_to(page, "runs").click()
    expect(row(page, name)).to_contain_text(say("state.running"))
    click_row(page, name, 1)
    expect(page.locator(".st-key-delete button")).to_be_disabled()
    view(page)  # what is shown of the run stays in sight at the top, over a table that was scrolled below it
    page.locator(".stDataFrame").evaluate("table => table.scrollIntoView({ block: 'center' })")
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": 150, "y": 16})
    sorted_by_name = page.locator(".stDataFrame canvas th", has_text="↑").filter(has_text=say("name"))
    expect(sorted_by_name).to_have_count(1)
    before = told(page, name)["cells"][6]
    until(page, lambda: told(page, name)["cells"][6] != before, "the list does not follow")
    expect(sorted_by_name).to_have_count(1)
    until(page, lambda: told(page, name)["isChosen"], "it is not chosen any more")
    page.locator(".aw-transport").get_by_role("button", name=locale.t("en", "watch.stop"), exact=True).click()
    until(page, lambda: any(say("state.stopped") in cell for cell in told(page, name)["cells"]), "it is not stopped")
    expect(page.locator(".st-key-delete button")).to_be_enabled()


def test_settings_lead_to_the_training_page(open_page: Open, runs_folder: Path) -> None:
    config = RunConfig.of_recipe(RECIPES["majority"].changed(steps=4, seed=9))
    run = Run.create(runs_folder / "settings-of-this", config)
    page = open_page(path="runs", run=run.name)
    page.locator(".st-key-actions").get_by_role("link", name=say("settings")).click()
    page.wait_for_function("location.pathname.endsWith('/training')")
    page.wait_for_function("new URLSearchParams(location.search).get('seed') === '9'")
    assert address(page)["run"] == run.name
    assert address(page)["steps"] == "4"


def test_the_names_of_the_files_to_take_away_are_links(open_page: Open, runs: list[Run]) -> None:
    page = open_page(path="runs", run=runs[0].name)
    page.locator(".st-key-actions").get_by_role("button", name=say("export")).click()
    links = page.locator("a[href*='attnviz/runs/']")
    expect(links).to_have_count(5)
    for href in links.evaluate_all("links => links.map(link => link.href)"):
        answer = page.request.get(href)
        assert answer.ok, href
        assert "attachment" in answer.headers["content-disposition"], href
