"""From one's own CSV to a tuned model, its report, and a wrong answer in the Explorer, with a real pretrained BERT."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from attnviz import locale
from attnviz.finetuning.movement import moved
from attnviz.training import open_run
from bench.finetune import packaged
from tests.browser.conftest import PATIENCE, Open, address, choose, expect_no_overflow, until, view
from tests.finetuning.conftest import rows

SETTINGS = "method:last,layers:1,steps:12,batch:8,rate:0.003,test:40"


@pytest.fixture
def base(models_folder: Path) -> Iterator[str]:
    """MiniLM, among the models of the server."""
    folder = models_folder / "minilm"
    folder.mkdir()
    for file in Path(packaged()).iterdir():
        if file.is_file():
            (folder / file.name).symlink_to(file)
    yield folder.name
    shutil.rmtree(folder)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Texts with stars: between four and five, and between one and two, nobody can tell, so some answers are wrong."""
    stars, drawn = {"positive": (4, 5), "negative": (1, 2)}, random.Random(0)
    file = tmp_path / "reviews.csv"
    lines = [f"{text},{drawn.choice(stars[label])},{n}" for n, (text, label) in enumerate(rows())]
    file.write_text("\n".join(["said,stars,number", *lines]), "utf-8")
    return file


def hand_in(page: Page, file: Path) -> None:
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached", timeout=3 * PATIENCE)
    field.set_input_files(str(file))


def test_from_a_table_to_a_wrong_answer_in_the_explorer(
    open_page: Open, base: str, reviews: Path, runs_folder: Path
) -> None:
    page = open_page(path="training", recipe="fine-tune", base=base, tune=SETTINGS, probe="not a good film")
    hand_in(page, reviews)
    play = page.locator(".st-key-play button")
    expect(page.locator(".st-key-reading").get_by_test_id("stDataFrame")).to_be_visible()
    expect(play).to_be_disabled()
    for name, column in (("header", "Header"), ("text_column", "1 · said"), ("label_column", "2 · stars")):
        choose(page.locator(f".st-key-task-fine-tune-own-labels-{name} input"), column)
    expect(play).to_be_enabled()
    before = page.locator(".st-key-before")
    expect(before).to_contain_text("texts for training")
    expect(before).to_contain_text(locale.t("en", "tuning.keeps", n=5))
    play.click()
    root = view(page)
    expect(root).to_have_attribute("data-state", "done", timeout=3 * PATIENCE)  # a worker opens the model first
    name = address(page)["run"]
    run = open_run(name, runs_folder)
    layers, numbers = moved(run), page.locator(".aw-moved")
    for measure, values in (("", [each.first for each in layers]), ("All tokens", [each.mean for each in layers])):
        if measure:
            page.locator("[data-chart=moved]").get_by_role("button", name=measure).click()
        said = " · ".join(f"layer {n} {value:.3f}" for n, value in enumerate(values))
        expect(numbers).to_have_text(f"Step 12: {said}")
        assert [value > 0.001 for value in values] == [False] * 5 + [True]
    expect(root).to_have_attribute("data-site", "encoder.5.self")
    root.locator(".aw-heads").scroll_into_view_if_needed()
    expect(root.locator(".aw-cell[aria-selected=true]")).to_be_in_viewport()
    expect_no_overflow(page)

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{page.url.split('/training')[0]}/runs?run={name}&lang=zh")
    page.get_by_role("button", name=locale.t("zh", "evaluation.start"), exact=True).click()
    expect(page.get_by_role("heading", name=locale.t("zh", "evaluation.wrong"))).to_be_visible()
    part = page.locator(".st-key-evaluation")
    expect(part).to_contain_text(locale.t("zh", "evaluation.baseline.frozen-features"))
    expect(part.locator(".js-plotly-plot")).to_be_visible()
    expect_no_overflow(page)
    wrong = page.locator(".st-key-wrong").get_by_role("link").first
    text = wrong.inner_text().strip()
    wrong.click()
    until(page, lambda: address(page).get("text") == text, "the address names the text")
    assert address(page)["model"] == f"run/{name}@12"
    view(page)
    expect(page.locator(".st-key-text textarea")).to_have_value(text)
