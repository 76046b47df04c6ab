"""The chain: one number can be followed through it, its buttons stay in sight, and its address opens there."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Page, expect

import attnviz
from attnviz import locale
from attnviz.view.payload import bundle
from tests.browser.conftest import Open, view
from tests.core.test_payload import unpack


def say(key: str, **params: object) -> str:
    return locale.t("en", f"view.frame.{key}", **params)


DRAWN = "picture => picture.width > 300 && picture.getContext('2d').getImageData(100, 60, 50, 50).data.some(Boolean)"


def asked(page: Page) -> list[str]:
    """Return the stages of every bundle that comes, from now on."""
    stages: list[str] = []
    page.on("request", lambda request: stages.extend(re.findall(r"stages=([^&]*)", request.url)))
    return stages


def test_a_number_of_q_is_followed_to_its_row_and_its_column(open_page: Open) -> None:
    page = open_page(width=1280, height=720, model="reverse", text="g f e d c", chain="1", tab="code")
    root = view(page)
    frame = page.locator('.av-matrix[data-stage="q"] .av-matrix-frame')
    expect(page.locator('.av-matrix[data-stage="w_q"]')).to_have_attribute("aria-busy", "false")
    expect(page.locator(".av-stage[data-step='1'] .av-stage-title")).to_be_in_viewport()
    expect(page.locator(".av-chain-answer")).to_have_text(locale.t("en", "view.answer.label", text="c d e f g"))
    expect(page.locator(".av-chain-answer")).to_be_in_viewport()
    page.wait_for_function(DRAWN, arg=page.locator('[data-stage="w_q"] canvas.av-base').element_handle())
    expect(page.get_by_role("tab", name=say("tab.code"))).to_have_attribute("aria-selected", "true")
    expect(page.locator(".av-closed")).to_have_count(5)

    frame.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(root).to_have_attribute("data-query", "1")
    said = page.locator(".av-body > .av-live")
    expect(said).to_contain_text(say("tip.product", row=1, of="LN(X)", col=1, by="W_Q"))

    trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
    site, head = root.get_attribute("data-site"), int(root.get_attribute("data-head") or 0)
    assert site is not None
    arrays = unpack(bundle(trace, site, [head], ["x", "w_q", "q"]))[1]
    matrix = arrays[f"{site}/{head}/w_q"]
    made = arrays[f"{site}/x"][1] @ matrix[:-1, 1] + matrix[-1, 1]
    np.testing.assert_allclose(made, arrays[f"{site}/{head}/q"][1, 1], rtol=1e-4)

    page.locator('.av-matrix[data-stage="w_q"]').get_by_role("button", name=re.compile(say("matrix.table"))).click()
    table = page.get_by_role("dialog")
    expect(table.locator("tbody th").last).to_have_text("b")
    expect(table.locator("tbody tr")).to_have_count(len(matrix))
    page.keyboard.press("Escape")

    more = page.locator('.av-matrix[data-stage="w_q"] .av-more')
    expect(more).to_have_text(re.compile(say("matrix.more.below", n=r"\d+")))
    page.locator('.av-matrix[data-stage="w_q"] .av-scroller').evaluate("e => e.scrollTo(0, 10000)")
    expect(more).to_have_text("")

    page.mouse.wheel(0, 500)
    forward = page.get_by_role("button", name=say("chain.forward"))
    expect(forward).to_be_in_viewport()
    forward.click()
    page.wait_for_url(re.compile("chain=2"))
    page.get_by_role("button", name=say("chain.all")).click()
    page.wait_for_url(lambda url: "chain=" not in url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator('.av-matrix[data-stage="w_v"]').scroll_into_view_if_needed()
    expect(forward).to_be_in_viewport()


def test_weights_of_the_model_come_when_the_chain_is_near(open_page: Open) -> None:
    page = open_page(width=1280, height=720)
    stages = asked(page)
    root = view(page)
    expect(root).to_have_attribute("data-layer", re.compile("."))
    assert not [names for names in stages if "w_" in names]
    page.locator(".av-stage[data-step='1']").scroll_into_view_if_needed()
    expect(page.locator('.av-matrix[data-stage="w_o"]')).to_have_attribute("aria-busy", "false")
    assert [names for names in stages if "w_o" in names]
