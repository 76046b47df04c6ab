"""The Calculator page in a real browser: typed, pasted, copied, followed by keyboard, restored by its address."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from attnviz import locale
from attnviz.calculator import PRESETS, solve
from tests.browser.conftest import (
    Open,
    address,
    expect_no_overflow,
    in_each_language,
    link_to,
    switch_language,
    until,
    view,
)


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, key, **params)


def cell(page: Page, table: str, row: int, column: int) -> Locator:
    return page.get_by_label(say("calculator.table.cell", table=table, row=row, column=column), exact=True)


def weights(page: Page) -> Locator:
    return view(page).locator(".av-weights")


def opened(open_page: Open, **link: object) -> Page:
    page = open_page(path="calculator", **link)  # type: ignore[arg-type]
    view(page)
    return page


def expect_copied(page: Page, text: str) -> None:
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == text, "it is not on the clipboard")


def test_cells_are_typed_walked_and_marked_where_they_are_no_number(open_page: Open) -> None:
    page = opened(open_page)
    cell(page, "X", 1, 1).click()
    for value in ("2", "3", "4", "5"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.wait_for_function("new URLSearchParams(location.search).get('X') === '2_3_4*5_1_0*0_0_1'")
    expect(cell(page, "X", 2, 1)).to_have_value("5")
    page.reload()
    view(page)
    expect(cell(page, "X", 1, 3)).to_have_value("4")

    cell(page, "W_Q", 1, 2).focus()
    page.keyboard.press("ArrowDown")
    expect(cell(page, "W_Q", 2, 2)).to_be_focused()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(cell(page, "W_Q", 3, 2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(cell(page, "W_Q", 2, 2)).to_have_value("7")

    cell(page, "X", 3, 3).fill("abc")
    cell(page, "X", 3, 3).press("Enter")
    expect(page.locator(".st-key-messages")).to_contain_text("X, row 3, column 3")
    expect(cell(page, "X", 3, 3)).to_have_attribute("aria-invalid", "true")
    expect(cell(page, "X", 3, 3)).to_have_value("abc")
    cell(page, "X", 3, 3).fill("1")
    cell(page, "X", 3, 3).press("Enter")
    expect(cell(page, "X", 3, 3)).to_have_attribute("aria-invalid", "false")


def test_a_paste_into_a_cell_replaces_the_table(open_page: Open) -> None:
    page = opened(open_page)
    page.evaluate("navigator.clipboard.writeText('np.array([[1, 2],\\n       [3, 4]])')")
    cell(page, "X", 1, 1).click()
    page.keyboard.press("Control+V")
    expect(page.locator(".st-key-messages")).to_contain_text("X is 2 × 2 and W_Q is 3 × 3")
    page.locator(".st-key-fit button").click()
    expect(cell(page, "W_Q", 2, 2)).to_be_visible()
    expect(cell(page, "W_Q", 3, 1)).to_have_count(0)
    expect(cell(page, "X", 2, 2)).to_have_value("4")


def test_tables_are_copied_as_numpy_and_as_csv_and_read_from_a_file(open_page: Open) -> None:
    page = opened(open_page)
    opener = page.get_by_role("button", name=f"{say('calculator.table.paste')}: W_V")
    opener.click()
    figure = page.locator("figure[data-name=w_v]")
    figure.get_by_role("button", name=say("calculator.table.numpy")).click()
    expect(figure.locator(".said")).to_have_text(say("calculator.table.copied"))
    expect_copied(page, "np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])")
    figure.get_by_role("button", name=say("calculator.table.csv")).click()
    expect_copied(page, "1,0,0\n0,1,0\n0,0,1")  # that it was copied is said already
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.click()
    figure.locator("input[type=file]").set_input_files(
        {"name": "v.csv", "mimeType": "text/csv", "buffer": b"5,0,0\n0,5,0\n0,0,5\n"}
    )
    expect(cell(page, "W_V", 1, 1)).to_have_value("5")
    opener.click()
    figure.locator("textarea").fill("9 0 0\n0 9 0\n0 0 9")
    figure.get_by_role("button", name=say("calculator.table.use")).click()
    expect(cell(page, "W_V", 3, 3)).to_have_value("9")


def test_large_tables_are_edited_as_text(open_page: Open) -> None:
    page = opened(open_page, preset="five")
    page.evaluate(
        "navigator.clipboard.writeText(Array.from({length: 30}, () => Array(20).fill('0.5').join('\\t')).join('\\n'))"
    )
    cell(page, "Q", 1, 1).click()
    page.keyboard.press("Control+V")
    expect(page.locator("figure[data-name=q] textarea")).to_be_visible()
    expect(page.locator("figure[data-name=q] input.cell")).to_have_count(0)


def test_presets_steps_and_the_proof(open_page: Open) -> None:
    page = opened(open_page, preset="multi-head", step="softmax", i="2")
    expect(page.locator(".st-key-formulas .avp-math")).to_contain_text("w2,1 = ")
    root = view(page)
    expect(root).to_contain_text("2 heads")
    expect(root.locator(".av-proof")).to_have_attribute("data-exact", "true")
    page.get_by_role("radio", name=say("calculator.step.all")).click()
    expect(page.locator(".st-key-formulas section")).to_have_count(8)
    page.wait_for_function("new URLSearchParams(location.search).get('step') === 'all'")


def told(page: Page, step: str) -> str:
    return page.locator(f".st-key-formulas section[data-step={step}] .avp-math").inner_text().replace("\n", "")


def shown(value: float) -> str:
    """A number as the formulas write it."""
    return f"{value + 0.0:.3g}".replace("-", "−")


@pytest.mark.parametrize("preset", ["multi-head", "additive"])
def test_formulas_say_what_was_computed(open_page: Open, preset: str) -> None:
    (site,) = solve(PRESETS[preset]).sites
    page = opened(open_page, preset=preset, step="all", i="3", j="2", h=str(site.n_heads))
    chain = site.chain(site.n_heads - 1)
    expect(page.locator(".st-key-formulas section[data-step=context]")).to_contain_text("c3 = ")
    assert told(page, "scores").endswith(f" = {shown(float(chain.scores[2, 1]))}")
    assert told(page, "scale").endswith(f" = {shown(float(chain.scaled[2, 1]))}")
    assert f" = {shown(float(chain.weights[2, 1]))}" in told(page, "softmax")
    assert told(page, "context").endswith(f"({', '.join(shown(value) for value in chain.context[2].tolist())})")


@pytest.mark.parametrize(
    ("positions", "projected", "score"),
    [
        ("none", "q2 = x2 W", "s2,3 = q2 · k3 = "),
        ("sinusoidal", "q2 = (x2 + p2) W", "s2,3 = q2 · k3 = "),
        ("rotary", "q2 = x2 W", "s2,3 = (R1 q2) · (R2 k3) = "),
    ],
)
def test_formulas_name_what_their_numbers_are(open_page: Open, positions: str, projected: str, score: str) -> None:
    page = opened(open_page, preset="decoder", positions=positions, step="all", i="2", j="3")
    expect(page.locator(".st-key-formulas section[data-step=scores]")).to_contain_text("s2,3 = ")
    assert told(page, "project").startswith(projected)
    assert told(page, "scores").startswith(score)


@pytest.mark.parametrize(
    ("preset", "formula", "input_too"),
    [
        ("five", "", False),
        ("one-hot", "Q = X·W_Q   K = X·W_K   V = X·W_V", True),
        ("decoder", "Q = X·W_Q   K = X·W_K   V = X·W_V", True),  # positions are added to X
    ],
)  # q, k and v are typed, or X is
def test_the_view_says_where_typed_numbers_come_from(
    open_page: Open, preset: str, formula: str, input_too: bool
) -> None:
    page = opened(open_page, preset=preset, tab="formula")
    stages = view(page).locator(".av-stage")
    expect(stages.nth(1).locator(".av-formula")).to_contain_text(formula or say("view.frame.formula.1.typed"))
    expect(stages.nth(0)).to_have_attribute("data-matrices", "1" if input_too else "0")
    if input_too:
        moved = PRESETS[preset].positions != "none"
        expect(stages.nth(0)).to_contain_text(say(f"view.frame.formula.0.{'moved' if moved else 'self'}"))
    compared = say("view.frame.proof.hand", error="|").split("|")[1]
    expect(view(page).locator(".av-proof")).to_contain_text(compared)
    expect(view(page).locator(".avp-formulas li")).to_have_count(5 + input_too + PRESETS[preset].project)
    projected = view(page).locator(".avp-formulas li[data-step='1']")
    if input_too:
        expect(projected).not_to_contain_text("+")
        expect(projected).to_contain_text("W")
    else:
        expect(projected).to_contain_text(say("view.panel.formula.typed"))


def test_a_head_of_the_link_is_shown_and_back_goes_back(open_page: Open) -> None:
    page = opened(open_page, preset="decoder", head="1")
    expect(view(page)).to_contain_text("head 1")
    link_to(page, "mistakes").click()
    expect(page.locator(".st-key-card")).to_be_visible()
    page.wait_for_function("location.pathname === '/mistakes'")
    page.go_back()
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).get('preset') === 'decoder'")


def test_a_phone_scrolls_down_only(open_page: Open) -> None:
    page = open_page(390, 844, path="calculator", step="all")
    page.locator(".st-key-hand-settings").wait_for()
    for lang in in_each_language(page):
        expect(link_to(page, "mistakes", lang)).to_be_visible()
        view(page)
        expect_no_overflow(page)
    link_to(page, "mistakes", "zh").click()
    page.locator(".st-key-card").wait_for()
    for lang in ("zh", "en"):
        if lang == "en":
            switch_language(page, lang)
        expect(link_to(page, "calculator", lang)).to_be_visible()
        expect_no_overflow(page)


def test_the_navigation_leads_here_and_the_explorer_stays_as_it_was(open_page: Open) -> None:
    page = open_page(model="dates", head="1")
    expect(view(page)).to_contain_text("head 1")
    link_to(page, "calculator").click()
    expect(cell(page, "X", 1, 1)).to_be_visible()
    view(page)
    link_to(page, "explorer").click()
    expect(page.locator(".st-key-texts")).to_be_visible()
    expect(view(page)).to_contain_text("head 1")
    assert address(page).get("preset") is None
