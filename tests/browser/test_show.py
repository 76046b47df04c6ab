"""The view on a wall, in a frame, on a tour, and handed on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from attnviz import locale
from tests.browser.conftest import SCHEMES, Open, at, expect_no_overflow, expect_within, until, view

# The height of a first line of text.
LINE = (
    "e => { const text = document.createRange(); text.selectNodeContents(e); return text.getClientRects()[0].height; }"
)


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, key, **params)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_the_answer_is_on_the_first_screen_of_every_size_in_both_themes(open_page: Open, lang: str) -> None:
    first = {
        (1280, 720): (".ava", ".av-sentence", ".av-weights .av-base"),
        (1024, 768): (".ava",),
        (390, 844): (".ava",),
    }
    page = open_page(width=390, height=844, lang=lang)  # what it measures here is no longer so at the next size
    root = view(page)
    embedded = open_page(width=900, height=560, lang=lang, embed="true", show="answer,weights,lines")
    inside = view(embedded)
    for scheme in SCHEMES:
        for (width, height), parts in first.items():
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            expect(root).to_have_attribute("data-theme", scheme)
            expect_within(page, *parts)
            expect_no_overflow(page)
        embedded.emulate_media(color_scheme=scheme)
        expect(inside).to_have_attribute("data-theme", scheme)
        expect_within(embedded, ".ava", ".av-weights .av-base")
        expect_no_overflow(embedded)


def test_a_tour_of_seven_stops_has_a_link_for_each_and_ends_with_escape(open_page: Open) -> None:
    page = open_page(width=1280, height=720)
    root = view(page)
    page.get_by_role("button", name=say("view.tour.start")).click()
    tour = page.get_by_role("region", name=say("view.tour.title"))
    for n, (name, live) in enumerate(
        [
            ("answer", ""),
            ("row", "sum to 1.000"),
            ("q", "24 numbers"),
            ("k", "24 numbers"),
            ("score", "score 183"),
            ("softmax", "sum to 1.000"),
            ("value", "24 numbers"),
        ],
        start=1,
    ):
        expect(tour.locator("h3")).to_have_text(say("view.tour.stop", n=n, all=7, title=say(f"view.tour.{name}.title")))
        expect(tour).to_contain_text(live)
        expect(page.locator(".avs-here")).to_have_count(1)
        page.wait_for_url(re.compile(f"tour={n}"))
        page.keyboard.press("ArrowRight")
    expect(tour).to_be_hidden()
    page.wait_for_url(re.compile(r"^(?!.*tour=)"))
    for stop in (7, 6):
        page.go_back()
        expect(tour.locator("h3")).to_contain_text(f"{stop} of 7")
        page.wait_for_url(re.compile(f"tour={stop}"))
        expect(page.locator("[data-test-script-state]")).to_have_attribute("data-test-script-state", "notRunning")
    page.go_forward()
    expect(tour).to_contain_text(say("view.tour.change"))
    page.keyboard.press("Escape")
    expect(page.get_by_label(say("page.text"), exact=True)).to_be_focused()  # now change one letter
    expect(root).to_have_attribute("data-locked", "false")
    page.goto(f"{page.url.split('?')[0]}?tour=5&lang=zh")
    expect(page.get_by_role("region", name=say("view.tour.title", "zh"))).to_contain_text(say("view.tour.score", "zh"))
    expect(page.locator(".av-panel[data-tab=product]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".avs-tour")).to_be_hidden()


def test_what_a_slow_page_was_still_to_write_is_not_written_over_where_back_leads_to(open_page: Open) -> None:
    page = open_page(tour="5")
    tour = page.get_by_role("region", name=say("view.tour.title"))
    view(page)
    for stop in (6, 7):
        page.keyboard.press("ArrowRight")
        page.wait_for_url(re.compile(f"tour={stop}"))
    page.evaluate("""() => {
        const then = (act) => addEventListener("attnviz:moved", act, { once: true });
        then(() => setTimeout(() => {  // the stop is drawn, and its address is still to be written
            const draw = requestAnimationFrame;
            window.requestAnimationFrame = (act) => setTimeout(() => draw(act), 400);
            history.back();
        }, 60));
        history.back();
    }""")
    expect(tour.locator("h3")).to_contain_text("5 of 7")
    page.wait_for_url(re.compile("tour=5"))
    for stop in (6, 7):
        page.go_forward()
        expect(tour.locator("h3")).to_contain_text(f"{stop} of 7")


def test_on_a_wall_there_are_the_answer_one_picture_and_one_sentence(open_page: Open) -> None:
    page = open_page(width=1024, height=768)
    view(page)
    small = page.locator(".av-sentence").evaluate(LINE)
    page.keyboard.press("p")
    page.wait_for_url(re.compile("present=1"))
    expect(page.locator(".st-key-controls")).to_be_hidden()
    for width, height in ((390, 844), (1280, 720), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        expect_within(page, ".ava", ".av-sentence")
    expect(page.locator(".av-left")).to_be_hidden()
    expect_within(page, ".ava", ".av-sentence", ".av-weights .av-base")
    until(page, lambda: page.locator(".av-sentence").evaluate(LINE) >= 1.4 * small, "the sentence is not larger")
    cell = page.locator(".av-weights .av-matrix-frame")
    corner = at(cell, 1, 1)
    cell.click(position={"x": corner["x"] - 20, "y": corner["y"] - 20})  # the pointer meets the cell it is over
    root = view(page)
    expect(root).to_have_attribute("data-query", "5")
    expect(root).to_have_attribute("data-key", "5")
    page.keyboard.press("Escape")
    expect(root).to_have_attribute("data-locked", "false")
    for step in range(7):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".av-stage:visible")).to_have_attribute("data-step", str(step))
        expect(page.locator(".av-weights")).to_be_hidden()
        expect(page.locator(".av-stage:visible .av-stale")).to_have_count(0)
        expect_within(page, ".ava", ".av-stage:visible")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".av-weights")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-controls")).to_be_visible()
    page.get_by_label(say("page.text"), exact=True).press("p")  # a letter in a text is a letter
    expect(page.locator(".st-key-controls")).to_be_visible()


def test_a_model_without_attention_answers_in_the_same_place(open_page: Open) -> None:
    page = open_page(width=1280, height=720, model="english-lstm", text="A fox")
    view(page)
    answer = page.get_by_role("region", name=re.compile(say("view.answer.label", text="")))
    expect(answer.locator(".ava-bar")).to_have_count(6)
    expect_within(page, ".ava")
    token = answer.get_by_role("button", name=say("view.answer.token", index=1, read="A"))
    token.click()
    expect(token).to_have_attribute("aria-pressed", "true")
    expect(answer).to_contain_text(say("view.answer.where.next", token="A", index=1))
    expect(page.locator(".avs-start")).to_have_count(0)  # there is nothing to tour
    page.keyboard.press("p")
    page.wait_for_url(re.compile("present=1"))
    for hidden in (".st-key-controls", ".st-key-plain-outputs", ".st-key-no-attention"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".st-key-states .js-plotly-plot")).to_be_visible()
    page.keyboard.press("Escape")
    expect(token).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=say("view.share"), exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("model=english-lstm")


def test_a_frame_shows_what_is_named_and_a_way_to_the_whole(open_page: Open) -> None:
    page = open_page(width=900, height=560, embed="true", show="answer,weights")
    view(page)
    expect_within(page, ".ava", ".av-sentence", ".av-weights .av-base")
    for hidden in (".st-key-controls", ".av-left", ".av-tabs", ".av-chain", ".avs-bar"):
        expect(page.locator(hidden)).to_be_hidden()
    whole = page.get_by_role("link", name=say("view.show.whole"))
    whole.focus()
    address = whole.get_attribute("href") or ""
    assert "embed" not in address
    assert "show" not in address


def test_what_is_seen_is_handed_on(open_page: Open) -> None:
    page = open_page(text="n o t", head="1", layer="1", theme="dark")
    expect(view(page)).to_have_attribute("data-theme", "dark")  # though the reader's own is light
    page.get_by_role("button", name=say("view.share"), exact=True).click()
    dialog = page.get_by_role("dialog", name=say("view.share.title"))
    dialog.get_by_role("button", name=say("view.share.link.copy"), exact=True).click()
    dialog.get_by_role("button", name=say("view.share.copied")).wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "text=n+o+t" in link
    assert "head=1" in link
    assert "theme=dark" in link
    page.set_viewport_size({"width": 390, "height": 844})
    expect_within(page, "dialog[open]", "dialog[open] .av-button")
    image = dialog.get_by_role("img")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    expect(dialog).to_contain_text("embed=true&amp;show=answer%2Cweights%2Clines")
    with page.expect_download() as saved:
        dialog.get_by_role("link", name=say("view.share.file.save")).click()
    assert saved.value.path().read_text("utf-8").startswith("<!doctype html>")
    page.goto(dialog.locator(".avs-text").nth(1).inner_text())
    root = view(page)
    expect(page.get_by_label(say("page.text"), exact=True)).to_be_disabled()
    page.locator('.av-thumb[data-site="encoder.0.self"][data-head="0"]').click()
    page.wait_for_url(re.compile("lock=all"))
    expect(root).to_have_attribute("data-site", "encoder.1.self")
