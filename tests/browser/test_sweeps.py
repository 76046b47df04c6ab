"""Sweeps in a real browser: planned on the Training page, shown as a group on the Runs page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from attnviz import locale
from attnviz.training import open_run, record
from attnviz.training.sweep.plan import Sweep, grid
from attnviz.training.sweep.runner import make
from tests.browser.conftest import Open, address, card, click_row, expect_no_overflow, row, until, view
from tests.training.runs import small_config


def say(key: str, **params: object) -> str:
    return locale.t("en", f"runs.{key}", **params)


@pytest.fixture
def sweep(runs_folder: Path) -> Sweep:
    """A sweep of four short runs."""
    base = small_config(steps=6, validate_every=2, weight_decay=0.02)
    made, configs = grid(base, {"learning_rate": [0.001, 0.01], "dropout": [0.0, 0.1]})
    for run in make(made, configs, runs_folder):
        record(run)
    return made


def has_chart(page: Page) -> bool:
    """Whether every axis of the parallel coordinates is drawn."""
    return page.locator(".js-plotly-plot .parcoords .axis-title").count() == 4


def test_a_group_is_seen_and_its_runs_open(open_page: Open, sweep: Sweep, runs_folder: Path) -> None:
    runs = [open_run(path.name, runs_folder) for path in runs_folder.glob(f"{sweep.name}.*")]
    seconds = sum(run.metrics()[-1].seconds for run in runs)
    page = open_page(path="runs", sweep=sweep.name)
    expect(row(page, "0.01, 0")).to_contain_text(f"1 {say('state.done')}")
    facts = say("sweep.facts", n=4, states="4 done", time=f"{max(1, seconds):.0f} s")
    expect(page.locator(".st-key-list")).to_contain_text(facts)
    until(page, lambda: has_chart(page), "the parallel coordinates are not drawn")
    expect_no_overflow(page)
    click_row(page, "0.01, 0", 1)
    until(page, lambda: address(page).get("run") == f"{sweep.name}.3", "the run does not open")
    expect(view(page)).to_have_attribute("data-state", "done")
    page.evaluate("history.back()")
    until(page, lambda: address(page).get("sweep") == sweep.name, "Back does not lead to the group")
    page.locator(".st-key-sweep-curves button").click()
    until(page, lambda: address(page).get("run", "").count(",") == 3, "the curves are not compared")
    key = view(page).locator(".aw-key")
    expect(key).to_contain_text("Dropout 0, Learning rate 0.01")


def test_on_a_phone_the_group_is_a_list_of_cards(open_page: Open, sweep: Sweep) -> None:
    page = open_page(390, 844, path="runs", sweep=sweep.name)
    expect(page.locator(".st-key-cards li")).to_have_count(4)
    expect(card(page, "Learning rate 0.01, Dropout 0")).to_be_visible()
    until(page, lambda: has_chart(page), "the parallel coordinates are not drawn")
    expect_no_overflow(page)
    expect(page.locator(".parcoords .axis-title").first).to_have_css("fill", "rgb(237, 235, 232)")  # dark by now
