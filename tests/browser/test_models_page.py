"""The Models page in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from attnviz import locale
from tests.browser.conftest import Open, card, click_row, expect_no_overflow, in_each_language, row, view
from tests.ui.real import zip_of

INPUT = "[data-testid=stFileUploader] input"


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, f"models.{key}", **params)


def test_a_model_is_found_and_opened_without_loading_the_page_anew(open_page: Open) -> None:
    page = open_page(path="models")
    expect(row(page, "Reverse a sequence")).to_contain_text(say("table.all"))
    page.evaluate("window.stays = true")
    page.get_by_label(say("table.find")).fill("ENCODER-decoder dates")
    page.keyboard.press("Enter")
    expect(row(page, "Sort letters")).to_have_count(0)
    click_row(page, "Normalise a date")
    link = page.locator(".st-key-of-chosen").get_by_role("link", name=say("table.open"), exact=True)
    href = link.get_attribute("href")
    assert href is not None
    assert "model=dates" in urlsplit(href).query
    click_row(page, "Normalise a date", 1)
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'dates'")
    assert page.evaluate("window.stays")


def test_a_card_opens_its_model_on_a_phone(open_page: Open) -> None:
    page = open_page(390, 844, path="models")
    card(page, "Sort letters").get_by_role("button", name=say("table.open")).click()
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'sort'")


def hand_in(page: Page, file: Path) -> None:
    """Give a file to the field, once the one that took the file before is gone."""
    expect(page.locator(INPUT)).to_have_count(1)
    page.locator(INPUT).set_input_files(file)


def test_a_zip_file_is_taken_and_a_wrong_one_refused(open_page: Open, models_folder: Path, tmp_path: Path) -> None:
    page = open_page(path="models")
    expect(row(page, "Reverse a sequence")).to_have_count(1)
    hand_in(page, zip_of(models_folder / "tiny-encoder", tmp_path / "good.zip"))
    expect(page.locator(".st-key-messages")).to_contain_text(say("can_be_shown", name="").strip())
    expect(row(page, say("table.source.uploaded"))).to_have_count(1)
    wrong = zip_of(models_folder / "tiny-encoder", tmp_path / "wrong.zip", **{"run.py": b"print()"})
    hand_in(page, wrong)
    expect(page.locator(".st-key-messages")).to_contain_text("run.py")
    expect(row(page, say("table.source.uploaded"))).to_have_count(1)
    (tmp_path / "cut.zip").write_bytes(wrong.read_bytes()[:-200])
    hand_in(page, tmp_path / "cut.zip")
    expect(page.locator(".st-key-messages")).to_contain_text("cut.zip")


def test_nothing_sticks_out_on_a_phone(open_page: Open) -> None:
    page = open_page(390, 844, path="models")
    for lang in in_each_language(page):
        expect(card(page, locale.t(lang, "zoo.reverse.title"))).to_contain_text(say("table.all", lang))
        expect_no_overflow(page)


def test_chinese_is_chinese(open_page: Open) -> None:
    page = open_page(path="models", lang="zh")
    expect(row(page, locale.t("zh", "zoo.reverse.title"))).to_contain_text(say("table.all", "zh"))
    english = set(locale.catalogue("en").values()) - set(locale.catalogue("zh").values())
    seen = page.locator("button:visible, label:visible, th, a:visible").all_text_contents()
    assert {text.strip() for text in seen} & english == set()
    name = locale.t("zh", "page.choose_file")
    button = page.get_by_role("button", name=name, exact=True)
    assert button.evaluate("each => getComputedStyle(each, '::after').content") == f'"{name}"'
    english_is_gone = f"() => !({FRAMEWORK})().some((text) => /[A-Za-z]{{4}}/.test(text))"
    page.wait_for_function(english_is_gone)
    page.locator(".st-key-head-row").get_by_text("English", exact=True).click()
    skip = page.get_by_test_id("stSkipToContent")
    expect(skip).to_have_text(locale.t("en", "framework.skip-to-main-content"))
    expect(page.get_by_role("button", name=locale.t("en", "framework.fullscreen"))).to_be_attached()


FRAMEWORK = """() => {
  const toolbar = [...document.querySelectorAll('[data-testid="stElementToolbar"] button')];
  const skip = document.querySelector('[data-testid="stSkipToContent"]');
  const file = document.querySelector('[data-testid="stFileUploader"] input');
  return [skip.textContent, file.ariaLabel, ...toolbar.map((button) => button.ariaLabel)];
}"""
"""Collects what Streamlit says to those who listen."""
