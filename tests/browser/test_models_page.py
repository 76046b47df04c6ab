"""The Models page in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from attnviz import locale
from tests.browser.conftest import Open, view
from tests.ui.real import zip_of

INPUT = "[data-testid=stFileUploader] input"


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, f"models.{key}", **params)


def row(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-models-table tr[data-name='{name}']")


def test_a_model_is_found_and_opened_without_loading_the_page_anew(open_page: Open) -> None:
    page = open_page(path="models")
    expect(row(page, "reverse")).to_contain_text(say("table.all"))
    page.evaluate("window.stays = true")
    page.get_by_label(say("table.find")).fill("ENCODER-decoder dates")
    expect(row(page, "dates")).to_be_visible()
    expect(row(page, "sort")).to_be_hidden()
    link = row(page, "dates").get_by_role("link", name=say("table.open"), exact=True)
    href = link.get_attribute("href")
    assert href is not None
    assert urlsplit(href).query == "model=dates&lang=en"
    link.click()
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'dates'")
    assert page.evaluate("window.stays")


def test_words_that_nothing_has_are_said(open_page: Open) -> None:
    page = open_page(path="models")
    page.get_by_label(say("table.find")).fill("no such model")
    expect(page.get_by_text(say("table.none"))).to_be_visible()
    expect(row(page, "reverse")).to_be_hidden()


def test_a_zip_file_is_taken_and_a_wrong_one_refused(open_page: Open, models_folder: Path, tmp_path: Path) -> None:
    page = open_page(path="models")
    expect(row(page, "reverse")).to_be_visible()
    page.locator(INPUT).set_input_files(zip_of(models_folder / "tiny-encoder", tmp_path / "good.zip"))
    expect(page.locator(".st-key-messages")).to_contain_text(say("can_be_shown", name="").strip())
    expect(page.locator(".st-key-models-table")).to_contain_text(say("table.section.uploaded"))
    wrong = zip_of(models_folder / "tiny-encoder", tmp_path / "wrong.zip", **{"run.py": b"print()"})
    page.locator(INPUT).set_input_files(wrong)
    expect(page.locator(".st-key-messages")).to_contain_text("run.py")
    expect(page.locator(".st-key-models-table")).to_contain_text(say("table.section.uploaded"))
    (tmp_path / "cut.zip").write_bytes(wrong.read_bytes()[:-200])
    page.locator(INPUT).set_input_files(tmp_path / "cut.zip")
    expect(page.locator(".st-key-messages")).to_contain_text("cut.zip")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_nothing_sticks_out_on_a_phone(open_page: Open, lang: str, scheme: str) -> None:
    page = open_page(390, 844, scheme, path="models", lang=lang)
    expect(row(page, "reverse")).to_contain_text(say("table.all", lang))
    for part in ("document.scrollingElement", "document.querySelector('.stMain')"):
        assert page.evaluate(f"{part}.scrollWidth <= innerWidth"), part


def test_chinese_is_chinese(open_page: Open) -> None:
    page = open_page(path="models", lang="zh")
    expect(row(page, "reverse")).to_contain_text(say("table.all", "zh"))
    english = set(locale.catalogue("en").values()) - set(locale.catalogue("zh").values())
    seen = page.locator("button:visible, label:visible, th:visible, a:visible").all_inner_texts()
    assert {text.strip() for text in seen} & english == set()
    button = page.locator("[data-testid=stFileUploaderDropzone] button [data-testid=stMarkdownContainer]")
    content = button.evaluate("each => getComputedStyle(each, '::after').content")
    assert content == f'"{locale.t("zh", "page.choose_file")}"'
