"""From one's own CSV to a fine-tuned model in a browser: the form, the live page, and how far each layer moved."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from attnviz import locale
from attnviz.finetuning.movement import moved
from attnviz.training import open_run
from tests.browser.conftest import PATIENCE, Open, address, choose, expect_no_overflow, view
from tests.finetuning.conftest import rows, table
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import word_piece


@pytest.fixture
def base(models_folder: Path) -> Iterator[str]:
    """A BERT with random weights, among the models of the server."""
    folder = models_folder / "tiny-bert"
    next(each for each in ARCHITECTURES if each.name == "BERT").build().save_pretrained(folder)
    word_piece((" ".join(text for text, _ in rows()),)).save_pretrained(folder)
    yield folder.name
    shutil.rmtree(folder)


def hand_in(page: Page, file: Path) -> None:
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached", timeout=3 * PATIENCE)
    field.set_input_files(str(file))


def test_from_a_table_to_a_tuned_model(open_page: Open, base: str, runs_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    lines = table(rows()).replace("text,label", "said,stars").splitlines()
    file.write_text("\n".join(f"{line},{n}" for n, line in enumerate(lines)), "utf-8")
    settings = "method:last,layers:1,steps:20,batch:4,rate:0.05"
    page = open_page(path="training", recipe="fine-tune", base=base, tune=settings, probe="not a good film")
    hand_in(page, file)
    play = page.locator(".st-key-play button")
    expect(page.locator(".st-key-reading").get_by_test_id("stDataFrame")).to_be_visible()
    expect(play).to_be_disabled()
    for name, column in (("header", "Header"), ("text_column", "1 · said"), ("label_column", "2 · stars")):
        choose(page.locator(f".st-key-task-fine-tune-own-labels-{name} input"), column)
    expect(play).to_be_enabled()
    expect(page.locator(".st-key-before")).to_contain_text("48 texts for training, 6 for validation, 6 for the test")
    play.click()
    root = view(page)
    expect(root).to_have_attribute("data-state", "done")
    name = address(page)["run"]
    run = open_run(name, runs_folder)
    numbers = page.locator(".aw-moved")
    expect(numbers).to_have_text(
        "Step 20: " + " · ".join(f"layer {n} {each.first:.3f}" for n, each in enumerate(moved(run)))
    )
    assert [each.first > 0.001 for each in moved(run)] == [False, True]
    page.locator("[data-chart=moved]").get_by_role("button", name="All tokens").click()
    expect(numbers).to_have_text(
        "Step 20: " + " · ".join(f"layer {n} {each.mean:.3f}" for n, each in enumerate(moved(run)))
    )
    expect_no_overflow(page)

    page.goto(f"{page.url.split('/training')[0]}/training?run={name}&lang=zh")
    view(page)
    expect(page.locator(".st-key-before")).to_contain_text(locale.t("zh", "tuning.keeps", n=1))
    expect(page.locator(".aw-moved")).to_have_text(re.compile("^第 20 步：第 0 层 0.000 · 第 1 层 "))
    page.set_viewport_size({"width": 390, "height": 844})
    expect_no_overflow(page)
