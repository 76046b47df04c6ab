"""A cell over training, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from attnviz import locale
from attnviz.training import record
from tests.browser.conftest import PATIENCE, Open, expect_no_overflow, view
from tests.browser.test_explorer import wait_for_address
from tests.training.runs import small_run


def test_the_course_of_a_cell_leads_to_the_explorer_at_a_step(open_page: Open, runs_folder: Path) -> None:
    run = small_run(runs_folder / "formed-in-a-browser")
    record(run)
    page = open_page(390, 844, path="runs", run=run.name, site="encoder.0.self", head="1", cell="1.0")
    card = page.locator(".aw-formed")
    steps = str(len(run.checkpoints()))
    expect(card).to_have_attribute("data-steps", steps, timeout=3 * PATIENCE)  # pages have more right to the processor
    expect(card.locator("figure:visible")).to_have_count(2)
    expect(card).to_contain_text(locale.t("en", "watch.formed.kept", n=len(run.checkpoints())))
    expect_no_overflow(page)
    button = page.get_by_role("button", name=locale.t("en", "watch.formed.button"))
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    wait_for_address(page, cell=None)
    expect(card).to_be_hidden()
    button.press("Enter")
    wait_for_address(page, cell="1.0", head="1")
    card.get_by_role("link", name="10", exact=True).press("Enter")
    wait_for_address(page, model=f"run/{run.name}@10", layer="0", head="1", q="1", k="0", lock="1", tab="why")
    expect(view(page)).to_have_attribute("data-locked", "true")
