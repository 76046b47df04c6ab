"""Hugging Face models in a real browser: handed in as zip files, opened, and seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from attnviz import locale
from tests.browser.conftest import Open, address, card, click_row, expect_no_overflow, in_each_language, row, view
from tests.ui.real import real_models, zip_of

INPUT = "[data-testid=stFileUploader] input"


@pytest.fixture(scope="session")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip file of each tiny model."""
    folder = tmp_path_factory.mktemp("zips")
    models = real_models(tmp_path_factory.mktemp("real"))
    for model in models.iterdir():
        zip_of(model, folder / f"{model.name}.zip")
    return folder


def hand_in(page: Page, path: Path) -> None:
    """Hand a model in on the Models page, and open it in the Explorer."""
    assert page.viewport_size is not None
    is_phone = page.viewport_size["width"] <= 640
    expect((card if is_phone else row)(page, locale.t("en", "task.reverse.title"))).to_have_count(1)
    page.locator(INPUT).set_input_files(path)
    expect(page.locator(".st-key-messages")).to_contain_text(path.stem, timeout=60_000)  # it is tried out first
    if is_phone:
        card(page, path.stem).get_by_role("button", name=locale.t("en", "models.table.open")).click()
    else:
        click_row(page, path.stem, 1)
    page.wait_for_function("new URLSearchParams(location.search).get('model')?.startsWith('upload/')")


def test_an_encoder_reads_two_sentences(open_page: Open, zips: Path) -> None:
    page = open_page(path="models")
    hand_in(page, zips / "tiny-bert.zip")
    view(page)
    first = page.get_by_label(locale.t("en", "models.sentence_a"), exact=True)
    first.fill("the cat")
    first.press("Control+Enter")
    second = page.get_by_label(locale.t("en", "models.sentence_b"), exact=True)
    second.fill("the mat")
    second.press("Control+Enter")
    page.wait_for_function("new URLSearchParams(location.search).get('target') === 'the mat'")
    expect(page.locator(".st-key-about")).to_contain_text("BertForMaskedLM")
    assert address(page)["text"] == "the cat"
    page.get_by_role("button", name="[MASK]", exact=True).click()
    page.wait_for_function("new URLSearchParams(location.search).get('text') === 'the cat [MASK]'")
    expect(first).to_have_value("the cat [MASK]")


def test_a_link_to_a_model_that_was_handed_in_opens_elsewhere(open_page: Open, zips: Path) -> None:
    page = open_page(path="models")
    hand_in(page, zips / "tiny-gpt2.zip")
    view(page)
    other = open_page(**address(page))
    view(other)
    expect(other.locator(".st-key-about")).to_contain_text("GPT2LMHeadModel")
    before = other.get_by_label(locale.t("en", "page.text"), exact=True).input_value()
    other.get_by_role("button", name=locale.t("en", "page.continue")).click()
    other.wait_for_function(
        "before => (new URLSearchParams(location.search).get('text') ?? '').length > before", arg=len(before)
    )


def test_a_model_of_images_sees_a_sample_and_ones_own(open_page: Open, zips: Path, tmp_path: Path) -> None:
    page = open_page(path="models")
    hand_in(page, zips / "tiny-vit.zip")
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).get('image') === 'house'")
    page.locator(".st-key-image").get_by_text(locale.t("en", "models.image.cat"), exact=True).click()
    page.wait_for_function("new URLSearchParams(location.search).get('image') === 'cat'")
    Image.new("RGB", (40, 30), "green").save(tmp_path / "mine.png")
    page.locator(".st-key-own-image button").first.click()
    page.locator(INPUT).set_input_files(tmp_path / "mine.png")
    page.wait_for_function("new URLSearchParams(location.search).get('image') === 'upload'")
    expect(page.get_by_text(locale.t("en", "models.image.stays"))).to_be_visible()
    page.evaluate("history.back()")
    page.wait_for_function("new URLSearchParams(location.search).get('image') === 'cat'")


def test_nothing_sticks_out_on_a_phone(open_page: Open, zips: Path) -> None:
    page = open_page(390, 844, path="models")
    hand_in(page, zips / "tiny-vit.zip")
    view(page)
    for lang in in_each_language(page):
        expect(page.get_by_role("button", name=locale.t(lang, "view.frame.chain.all"))).to_be_visible()
        expect_no_overflow(page)
