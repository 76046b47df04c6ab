"""The Explorer in a real browser."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

import attnviz
from attnviz import locale
from tests.browser.conftest import (
    Open,
    address,
    addresses,
    at,
    choose,
    expect_no_overflow,
    expect_within,
    in_each_language,
    switch_language,
    tabs,
    view,
)
from tests.tiny import MARKUP

COUNT_MESSAGES = """() => {
  const { send } = WebSocket.prototype;
  window.messages = 0;
  WebSocket.prototype.send = function (...message) {
    window.messages += 1;
    return send.apply(this, message);
  };
}"""


def wait_for_address(page: Page, **parameters: str | None) -> None:
    """Wait until the address has these parameters; None: not there."""
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([k, v]) => new URLSearchParams(location.search).get(k) === v)",
        arg=parameters,
    )


def write(page: Page, text: str, label: str = "page.text", lang: str = "en") -> None:
    field = page.get_by_label(locale.t(lang, label), exact=True)
    field.fill(text)
    field.press("Control+Enter")


def thumbnail(page: Page, site: str, head: int) -> None:
    page.locator(f'.av-thumb[data-site="{site}"][data-head="{head}"]').click()


def test_the_first_picture_appears_and_is_proved(open_page: Open) -> None:
    page = open_page()
    expect(view(page)).to_have_attribute("data-site", "encoder.1.self")  # the layer whose head tells most
    expect(page.locator(".av-sentence")).to_contain_text("100%")
    proof = page.locator(".av-proof")
    expect(proof).to_have_attribute("data-error", re.compile(r"^\d"))
    assert float(proof.get_attribute("data-error") or "1") < 1e-5
    expect(proof).to_have_attribute("data-exact", "true")


def test_a_proof_that_fails_is_not_ticked_off(open_page: Open) -> None:
    page = open_page(model="tiny-encoder", prepare=lambda page: page.route("**/proof", wrong_proof))
    proof = page.locator(".av-proof")
    expect(proof).to_have_attribute("data-exact", "false")
    assert "≠" in proof.evaluate("element => getComputedStyle(element, '::before').content")


def wrong_proof(route: Route) -> None:
    route.fulfill(
        json={"sites": [{"name": "encoder.0.self", "max_abs_error": 0.25}], "max_abs_error": 0.25, "exact": False}
    )


def test_the_first_screen_holds_the_answer_and_its_picture(open_page: Open) -> None:
    """At 1280 x 720, without scrolling; each part of the answer chooses the query that wrote it."""
    page = open_page(width=1280, height=720)
    root = view(page)
    answer = page.get_by_role("region", name=re.compile("^Answer: c d e f g"))
    controls = [
        page.get_by_label(locale.t("en", "page.text"), exact=True),
        page.get_by_role("button", name=locale.t("en", "page.run"), exact=True),
    ]
    shown = [page.locator(".av-grid"), page.locator(".av-weights canvas").first, page.locator(".av-proof")]
    expect_within(page, *controls, page.locator(".st-key-examples"), answer, *shown)
    expect(answer).to_contain_text(locale.t("en", "view.answer.right"))
    answer.get_by_role("button", name=re.compile("^Position 1: reads f, answers d, 100%: right")).click()
    expect(root).to_have_attribute("data-query", "1")
    expect(root).to_have_attribute("data-locked", "true")
    page.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-query", "2")
    page.locator('.av-facts [data-term="query"]').hover()
    card = page.get_by_role("tooltip")
    expect(card).to_contain_text(locale.glossary("en")["query"].meaning)
    expect(card).to_contain_text("Here, for e: 24 numbers")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(root).to_have_attribute("data-locked", "true")
    write(page, "n o t")
    page.get_by_role("region", name=re.compile("^Answer: t o n")).wait_for()


def test_a_click_chooses_a_head_without_asking_the_server(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", layer="0")
    root = view(page)
    expect(root).to_have_attribute("data-layer", "decoder.0.self")
    expect(page.locator(".av-proof")).to_have_attribute("data-exact", "true")  # the last to arrive
    wait_for_address(page, layer="0", lang="en")
    expect(page.locator("[data-test-script-state]")).to_have_attribute("data-test-script-state", "notRunning")
    page.evaluate(COUNT_MESSAGES)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    thumbnail(page, "decoder.0.self", 3)
    expect(root).to_have_attribute("data-head", "3")
    assert root.get_attribute("data-loaded") == "true"
    wait_for_address(page, head="3", layer="0")
    page.locator(".av-chain").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert page.evaluate("window.messages") == 0
    asked = [url for url in requests if "/attnviz/" in url]
    assert [url for url in asked if "stages=w_q" not in url] == []  # the chain asks for those when it is looked at


def test_arrow_keys_walk_heads_and_layers(open_page: Open) -> None:
    page = open_page(model="tiny-decoder")
    root = view(page)
    thumbnail(page, "decoder.0.self", 0)
    page.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-head", "1")
    page.keyboard.press("ArrowDown")
    expect(root).to_have_attribute("data-site", "decoder.1.self")


def test_a_click_locks_and_escape_unlocks(open_page: Open) -> None:
    page = open_page(model="tiny-encoder")
    root = view(page)
    matrix = page.locator(".av-weights .av-scroller")
    matrix.hover(position=at(matrix, 0.6, 0.6))
    expect(root).to_have_attribute("data-query", re.compile(r"^\d$"))
    expect(root).to_have_attribute("data-locked", "false")
    matrix.click(position=at(matrix, 0.6, 0.6))
    expect(root).to_have_attribute("data-locked", "true")
    query, key = root.get_attribute("data-query"), root.get_attribute("data-key")
    wait_for_address(page, lock="1", q=query, k=key)
    matrix.hover(position=at(matrix, 0.98, 0.98))
    page.wait_for_timeout(100)
    assert (root.get_attribute("data-query"), root.get_attribute("data-key")) == (query, key)
    page.keyboard.press("Escape")
    expect(root).to_have_attribute("data-locked", "false")
    wait_for_address(page, lock=None)


def test_a_link_opens_the_same_picture_elsewhere(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", text="It is **so**.\n<Yes> $no$", lang="zh")
    view(page)
    thumbnail(page, "decoder.2.self", 1)
    wait_for_address(page, layer="2", head="1")
    link = address(page)
    assert link["text"] == "It is **so**.\n<Yes> $no$"
    other = open_page(**link)
    root = view(other)
    expect(root).to_have_attribute("data-site", "decoder.2.self")
    expect(root).to_have_attribute("data-head", "1")
    wait_for_address(other, **link)
    other.reload()
    expect(view(other)).to_have_attribute("data-head", "1")
    wait_for_address(other, **link)


def test_a_link_restores_the_lock(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", text="A fox", layer="1", head="2", q="3", k="1", lock="1")
    root = view(page)
    for name, value in {"site": "decoder.1.self", "head": "2", "query": "3", "key": "1", "locked": "true"}.items():
        expect(root).to_have_attribute(f"data-{name}", value)


def test_another_text_keeps_the_head_and_back_returns(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", text="One fox", layer="0", head="1")
    root = view(page)
    thumbnail(page, "decoder.1.self", 3)
    wait_for_address(page, head="3")
    write(page, "Two foxes")
    expect(page.locator(".av-facts")).to_contain_text("10")
    page.wait_for_timeout(500)
    wait_for_address(page, text="Two foxes", head="3", layer="1")
    expect(root).to_have_attribute("data-head", "3")
    page.evaluate("history.back()")
    expect(page.get_by_label(locale.t("en", "page.text"), exact=True)).to_have_value("One fox")
    wait_for_address(page, text="One fox")
    page.evaluate("history.forward()")
    expect(page.get_by_label(locale.t("en", "page.text"), exact=True)).to_have_value("Two foxes")


def test_models_and_examples_are_chosen_by_click(open_page: Open) -> None:
    page = open_page(model="tiny-decoder")
    root = view(page)
    page.get_by_role("button", name="<script>").click()
    wait_for_address(page, text=MARKUP)
    choose(page.get_by_label(locale.t("en", "page.model"), exact=True), "Tiny · encoder-decoder", written=True)
    wait_for_address(page, model="tiny-both", text="3rd of March 2021", target="2021-03-03")
    thumbnail(page, "decoder.1.cross", 2)
    expect(root).to_have_attribute("data-site", "decoder.1.cross")
    write(page, "", "page.target")
    expect(page.get_by_text(locale.t("en", "page.target_written", target=""))).to_be_visible()
    wait_for_address(page, target=None)


def test_markup_does_not_run(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", text=MARKUP)
    view(page)
    page.locator(".av-tab[data-tab=outputs]").click()
    page.locator(".av-weights").get_by_role("button", name=locale.t("en", "view.frame.matrix.table")).click()
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    write(page, "é <script>alert(2)</script> **bold** ![x](http://example.com/x.png)")
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("é")
    assert page.locator(".st-key-messages strong, .st-key-messages img, .st-key-messages a").count() == 0


def test_an_error_keeps_the_last_picture_and_what_was_typed(open_page: Open) -> None:
    page = open_page(model="tiny-encoder", text="a b c")
    root = view(page)
    for text, named in (("a z", "z"), ("a \u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"), ("", "empty"), ("a " * 40, "40")):
        write(page, text)
        expect(page.get_by_role("alert").first).to_contain_text(named)
        expect(page.locator(".st-key-messages")).to_contain_text("a b c")
        expect(root).to_have_attribute("data-ready", "true")
        wait_for_address(page, text=text or None)
    field = page.get_by_label(locale.t("en", "page.text"), exact=True)
    page.evaluate("history.go(-2)")
    expect(field).to_have_value("a \u202e")
    expect(page.get_by_role("alert").first).to_contain_text("U+202E")
    page.reload()
    expect(field).to_have_value("a \u202e")
    expect(page.get_by_role("alert").first).to_contain_text("U+202E")
    write(page, "c b a")
    expect(page.get_by_role("alert")).to_have_count(0)
    wait_for_address(page, text="c b a")


def test_a_hundred_thousand_characters_are_refused_and_nothing_is_lost(open_page: Open) -> None:
    page = open_page(model="tiny-decoder", text="A fox")
    view(page)
    field = page.get_by_label(locale.t("en", "page.text"), exact=True)
    page.evaluate("navigator.clipboard.writeText('a'.repeat(100_000))")
    field.press("Control+a")
    field.press("Control+v")
    field.press("Control+Enter")
    expect(page.get_by_role("alert").first).to_contain_text("100,001")
    assert len(field.input_value()) == 100_000
    expect(page.locator(".st-key-messages")).to_contain_text("A fox")


def test_a_link_to_nowhere_falls_back(open_page: Open) -> None:
    page = open_page(model="nonsense", layer="99")
    view(page)
    expect(page.get_by_role("alert").first).to_contain_text("nonsense")
    assert page.get_by_text("Traceback").count() == 0


def test_table_and_csv_are_the_matrix_and_other_exports_download(open_page: Open, models_folder: Path) -> None:
    page = open_page(model="tiny-encoder", text="g f e d", head="1")
    view(page)
    page.locator(".av-weights").get_by_role("button", name=locale.t("en", "view.frame.matrix.export")).click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem").filter(has_text="CSV").click()
    rows = list(csv.reader(io.StringIO(waiting.value.path().read_text("utf-8-sig"))))
    trace = attnviz.trace(attnviz.load_model(models_folder / "tiny-encoder"), "g f e d")
    np.testing.assert_array_equal(
        np.array([row[-4:] for row in rows[-4:]], dtype=np.float32), trace.sites[0].weights(1).numpy()
    )

    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<"), ("NPZ", b"PK")):
        page.locator(".av-weights").get_by_role("button", name=locale.t("en", "view.frame.matrix.export")).click()
        with page.expect_download() as waiting:
            page.get_by_role("menuitem").filter(has_text=kind).click()
        assert waiting.value.path().read_bytes().startswith(start)

    page.locator(".av-weights").get_by_role("button", name=locale.t("en", "view.frame.matrix.table")).click()
    table = page.locator("dialog[open] table")
    expect(table).to_be_visible()
    page.get_by_role("button", name=locale.t("en", "view.panel.table.full")).click()
    expect(table.locator("td")).to_have_count(16)
    numbers = [float(text) for text in table.locator("td").all_inner_texts()]
    np.testing.assert_array_equal(np.array(numbers, np.float32), trace.sites[0].weights(1).numpy().ravel())
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize("model", ["tiny-encoder", "tiny-decoder", "tiny-both"])
def test_nothing_sticks_out_on_a_phone(open_page: Open, model: str) -> None:
    page = open_page(390, 844, "dark", model=model)
    expect(view(page)).to_have_attribute("data-theme", "dark")
    for lang in in_each_language(page):
        all_stages = page.get_by_role("button", name=locale.t(lang, "view.frame.chain.all"))
        expect(all_stages).to_be_visible()
        expect(page.locator(".av-proof")).to_have_attribute("data-exact", "true")  # the last to arrive
        expect_no_overflow(page)


def test_chinese_is_chinese(open_page: Open) -> None:
    page = open_page(model="tiny-both", lang="zh")
    view(page)
    page.wait_for_function("document.documentElement.lang === 'zh'")
    expect(page.get_by_role("button", name=locale.t("zh", "view.frame.chain.all"))).to_be_visible()
    english = set(locale.catalogue("en").values()) - set(locale.catalogue("zh").values())
    seen = page.locator("button:visible, label:visible, h2:visible, h3:visible, h4:visible").all_inner_texts()
    assert {text.strip() for text in seen} & english == set()


def test_theme_and_language_are_switched_in_place(open_page: Open) -> None:
    page = open_page(model="tiny-encoder", head="1")
    root = view(page)
    expect(root).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")
    switch_language(page, "zh")
    wait_for_address(page, lang="zh")
    stack = locale.t("zh", "view.frame.stack.encoder.self")
    title = locale.t("zh", "view.frame.title", stack=stack, layer=0, head=0)
    expect(page.locator(".av-thumb").first).to_have_attribute("aria-label", title)
    expect(root).to_have_attribute("data-head", "1")


def test_a_browser_in_chinese_is_greeted_in_chinese(browser: Browser, server: str) -> None:
    with browser.new_context(locale="zh-CN") as window, tabs(window, addresses(server)) as new_tab:
        chinese = new_tab()
        chinese.goto(f"{server}/?model=tiny-encoder")
        view(chinese)
        expect(chinese.get_by_label(locale.t("zh", "page.text"), exact=True)).to_have_count(1)


@pytest.mark.parametrize("path", ["explorer", "Training", "runs/"])
def test_another_spelling_of_a_page_opens_it(path: str, open_page: Open) -> None:
    page = open_page(path=path, lang="zh-CN")
    expect(page.locator(".st-key-nav-places")).to_contain_text(locale.t("zh", "page.place.training"))
    page.wait_for_function("lang => document.documentElement.lang === lang", arg="zh")
    wanted = {"explorer": "/", "Training": "/training", "runs/": "/runs"}[path]
    page.wait_for_function("wanted => location.pathname === wanted", arg=wanted)
