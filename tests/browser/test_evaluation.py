"""The evaluation of a fine-tuned run in a real browser: from the report to a wrong answer in the Explorer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from playwright.sync_api import expect
from transformers.utils import logging

from attnviz import locale
from attnviz.finetuning.plan import plan
from attnviz.training import Run, record
from tests.browser.conftest import Open, address, expect_no_overflow, until, view
from tests.finetuning.conftest import bert, rows, table

__all__ = ["bert"]  # a fixture

NAME = "tuned-reviews"


@pytest.fixture(scope="module")
def run(bert: Path, runs_folder: Path) -> Run:
    """A model that was to learn labels that nobody can tell: many of its answers are wrong."""
    logging.set_verbosity_error()
    drawn = random.Random(0)
    labelled = [(text, drawn.choice(("good", "bad", "other"))) for text, _ in rows(80)]
    training = {"steps": 4, "batch_size": 4}
    made = plan(str(bert), {"train": table(labelled)}, method="last:1", training=training, test_share=25)
    found = Run.create(runs_folder / NAME, made.config)
    record(found)
    return found


def test_from_the_report_to_a_wrong_answer_in_the_explorer(open_page: Open, run: Run) -> None:
    page = open_page(path="runs", run=NAME)
    page.get_by_role("button", name=locale.t("en", "evaluation.start"), exact=True).click()
    expect(page.get_by_role("heading", name=locale.t("en", "evaluation.wrong"))).to_be_visible()
    part = page.locator(".st-key-evaluation")
    expect(part).to_contain_text(locale.t("en", "evaluation.baseline.bag-of-words"))
    expect(part.locator(".js-plotly-plot")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect_no_overflow(page)
    wrong = page.locator(".st-key-wrong").get_by_role("link").first
    text = wrong.inner_text().strip()
    wrong.click()
    until(page, lambda: address(page).get("text") == text, "the address names the text")
    assert address(page)["model"] == f"run/{NAME}@4"
    view(page)
    expect(page.locator(".st-key-text textarea")).to_have_value(text)
