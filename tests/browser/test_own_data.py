"""A file of one's own in a browser: its first rows are shown, what it does not tell is asked, then it is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from attnviz import locale
from tests.browser.conftest import PATIENCE, Open, address, choose, until, view


def hand_in(page: Page, file: Path) -> None:
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached", timeout=3 * PATIENCE)  # a cold server, a busy machine
    field.set_input_files(str(file))


@pytest.mark.parametrize(("lang", "width"), [("en", 1440), ("zh", 390)])
def test_what_a_file_does_not_tell_is_asked(open_page: Open, tmp_path: Path, lang: str, width: int) -> None:
    rows = ["review;sentiment", *(f"très bon {n};{('bad', 'good')[n % 2]}" for n in range(40))]
    file = tmp_path / "reviews.csv"
    file.write_bytes("\r\n".join(rows).encode("cp1252"))
    page = open_page(width=width, path="training", recipe="own-labels", lang=lang)
    hand_in(page, file)
    expect(page.locator(".st-key-reading").get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.locator(".st-key-reading").get_by_role("alert")).to_contain_text("review | sentiment")
    play = page.locator(".st-key-play button")
    expect(play).to_be_disabled()
    until(page, lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is too wide")
    header = page.locator(".st-key-task-own-labels-header input")
    choose(header, locale.t(lang, "training.reading.header.yes"))
    expect(page.locator(".st-key-reading").get_by_role("alert")).to_have_count(0)
    expect(play).to_be_enabled()
    page.wait_for_function("new URLSearchParams(location.search).get('reading') === 'header:yes'")
    assert address(page)["text"].startswith("review;sentiment\ntrès bon 0;bad\n")


def test_a_workbook_is_refused_with_what_to_do(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(b"PK\x03\x04 [Content_Types].xml" + b"\0" * 100)
    page = open_page(path="training", recipe="own-series")
    hand_in(page, file)
    expect(page.locator(".st-key-messages")).to_contain_text("save it as CSV")


def test_pairs_are_learned_scored_and_aligned(open_page: Open, tmp_path: Path) -> None:
    """From a file to the scores of what the model writes, and on to which source token each token was read from."""
    rows = [f"{said} name{n} {end}\tname{n} {said}" for n in range(20) for said in ("hi", "bye") for end in "ab"]
    file = tmp_path / "pairs.tsv"
    file.write_text("\n".join(rows), "utf-8")
    page = open_page(path="training", recipe="own-pairs", steps="20")
    hand_in(page, file)
    expect(page.locator(".st-key-notes")).to_contain_text("64 pairs for training, 8 for validation, 8 for the test")
    play = page.locator(".st-key-play button")
    expect(play).to_be_enabled()
    play.click()
    expect(view(page)).to_have_attribute("data-state", "done", timeout=3 * PATIENCE)
    part = page.locator(".st-key-texts")
    part.locator("summary").click()
    expect(part.get_by_role("table").first).to_contain_text("chrF", timeout=3 * PATIENCE)
    expect(part.get_by_role("table").first).to_contain_text("8 test pairs")
    part.get_by_role("link", name=locale.t("en", "texts.alignment")).click()
    expect(page.locator(".st-key-app-alignment .js-plotly-plot")).to_be_visible(timeout=3 * PATIENCE)
    assert address(page)["model"].startswith("run/own-pairs-")
