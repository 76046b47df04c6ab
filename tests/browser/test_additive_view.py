"""The browser view on additive scoring, on attention pooling with its one query, and on states that nothing projects.

The traces are made here, from random numbers, as recurrent networks with attention make them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from attnviz import locale
from attnviz.attention import Mask
from attnviz.models.facts import ModelFacts
from attnviz.trace import AttentionSite, Outputs, Tokens, Trace
from attnviz.trace.site import Additive
from attnviz.view.standalone import to_html
from tests.browser.conftest import view
from tests.browser.made_up import MADE, Model, make_site, make_trace
from tests.browser.test_real_view import Show, address, show
from tests.browser.test_standalone import OpenFile, alone, open_file

__all__ = ["address", "alone", "open_file", "show"]  # fixtures

REVIEW = ("not", " a", " good", " film", ",", " but", " the", " end", " is", " fine", "<pad>", "<pad>")
SOURCE = tuple("12 May 2021")
TARGET = ("<bos>", *"2021-05-12")


def states(*shape: int, seed: int = 0) -> Tensor:
    """States of a network: within ±1."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).tanh()


def state_site(name: str, q: Tensor, k: Tensor, queries: str, keys: str, **rest: Any) -> AttentionSite:
    """States read states, one head, nothing projected."""
    stack, layer, kind = name.split(".")
    given: dict[str, Any] = {"scoring": "dot", "w_o": None, **rest}
    return AttentionSite(name, int(layer), stack, kind, queries, keys, q=q[None], k=k[None], v=k[None], **given)


def additive(d_att: int, d_q: int, d_k: int) -> Additive:
    return Additive(states(d_att, d_q, seed=1), states(d_att, d_k, seed=2), 2 * states(d_att, seed=3))


def of_ours(trace: Trace) -> Trace:
    """The trace as one of our own models makes it: no class of another library."""
    return replace(trace, model=Model(ModelFacts("lstm", "LSTM", "", "encoder", 1, 512)))


def pooled(**rest: Any) -> Trace:
    """A classifier: the last state reads the states of the tokens, and no padding."""
    n = len(REVIEW)
    real = torch.tensor([label != "<pad>" for label in REVIEW])
    k = states(n, 16)
    site = state_site("readout.0.cross", k[9:10], k, "readout", "encoder", mask=Mask(keys=real), **rest)
    sequences = {"readout": Tokens((), ("<state>",), (0,)), "encoder": Tokens(tuple(range(n)), REVIEW, (10, 11))}
    outputs = Outputs("label", "encoder", ("negative", "positive").__getitem__)
    return of_ours(make_trace(sequences, [site], outputs, 2, inputs=False, architecture="encoder"))


def additive_pooling() -> Trace:
    return pooled(scoring="additive", additive=additive(12, 16, 16))


def dot_pooling() -> Trace:
    return pooled()


def bahdanau() -> Trace:
    """A translator: states of the decoder read those of an encoder that runs both ways, which are wider."""
    q, k = states(len(TARGET), 8), states(len(SOURCE), 14, seed=4)
    given: dict[str, Any] = {"scoring": "additive", "additive": additive(10, 8, 14)}
    given["w_o"] = states(14, 8, seed=5)
    site = state_site("decoder.0.cross", q, k, "decoder", "encoder", **given)
    sequences = {
        "encoder": Tokens(tuple(range(len(SOURCE))), SOURCE),
        "decoder": Tokens(tuple(range(len(TARGET))), TARGET, (0,)),
    }
    outputs = Outputs("next", "decoder", str)
    return of_ours(make_trace(sequences, [site], outputs, inputs=False, architecture="encoder-decoder"))


def mixed() -> Trace:
    """A Transformer whose output is pooled by additive attention."""
    n = 6
    k = states(n, 8)
    sites = [make_site(f"encoder.{layer}.self", n, n, 2) for layer in range(2)]
    given = {"scoring": "additive", "additive": additive(5, 8, 8)}
    sites.append(state_site("readout.0.cross", k[-1:], k, "readout", "encoder", **given))
    sequences = {"readout": Tokens((), ("<state>",), (0,)), "encoder": Tokens(tuple(range(n)), tuple("abcdef"))}
    return of_ours(make_trace(sequences, sites, architecture="encoder"))


def forecast() -> Trace:
    """Five values at every token."""
    n = 6
    states_of = states(n, 8)
    site = state_site("encoder.0.self", states_of, states_of, "encoder", "encoder")
    sequences = {"encoder": Tokens(tuple(range(n)), tuple("abcdef"))}
    outputs = Outputs("values", "encoder", str)
    return of_ours(make_trace(sequences, [site], outputs, 5, inputs=False, architecture="encoder"))


MADE.update({make.__name__: make for make in (additive_pooling, dot_pooling, bahdanau, mixed, forecast)})


def lock(page: Page, query: int, key: int) -> None:
    """Locks a pair with the keyboard, from the first cell on."""
    frame = page.locator(".av-weights .av-matrix-frame")
    for move in ["ArrowDown"] * (query + 1) + ["ArrowRight"] * key + ["Enter"]:
        frame.press(move)
    root = page.locator(".attnviz")
    expect(root).to_have_attribute("data-query", str(query))
    expect(root).to_have_attribute("data-key", str(key))
    expect(root).to_have_attribute("data-locked", "true")


def steps_of(site: AttentionSite, i: int, j: int) -> np.ndarray:
    """(d_att, 7): W_q q, W_k k, their sum, its tanh, w_v, w_v tanh, running sum."""
    assert site.additive is not None
    w_q, w_k, w_v = (part.double() for part in site.additive)
    query, key = w_q @ site.q[0, i].double(), w_k @ site.k[0, j].double()
    bent = torch.tanh(query + key)
    columns = [query, key, query + key, bent, w_v, bent * w_v, (bent * w_v).cumsum(0)]
    return torch.stack(columns, dim=1).numpy()


def numbers_in_table(page: Page) -> np.ndarray:
    """The cells of the q x k panel, in full precision."""
    rows = page.locator(".avp-product-table tbody tr").all()
    titles = [[cell.get_attribute("title") or "" for cell in row.locator("td").all()] for row in rows]
    return np.array([[float(text.replace("−", "-")) for text in row] for row in titles])


def text_of(page: Page, selector: str) -> str:
    return re.sub(r"\s+", " ", page.locator(selector).inner_text())


@pytest.mark.parametrize(("name", "i", "j"), [("additive_pooling", 0, 3), ("bahdanau", 2, 5)])
def test_additive_scores_are_shown_step_by_step(show: Show, name: str, i: int, j: int) -> None:
    page = show(name, tab="product")
    expect(page.locator(".avp-teach")).to_have_text(locale.t("en", "view.panel.additive.teach"))
    lock(page, i, j)
    site = MADE[name]().sites[0]
    np.testing.assert_allclose(numbers_in_table(page), steps_of(site, i, j), rtol=1e-6, atol=1e-6)
    expect(page.locator(".avp-product-table thead th")).to_have_count(8)
    total = page.locator(".avp-verdict-value").first
    score = float(site.scores(0)[i, j])
    assert float((total.get_attribute("title") or "").replace("−", "-")) == pytest.approx(score, abs=1e-5)
    expect(page.locator(".avp-verdict")).to_contain_text(locale.t("en", "view.panel.product.note.scale.none"))


def test_the_formula_of_additive_scoring_has_the_live_numbers(show: Show) -> None:
    page = show("bahdanau", tab="formula")
    lock(page, 2, 5)
    site = MADE["bahdanau"]().sites[0]
    steps = steps_of(site, 2, 5)
    text = text_of(page, ".avp-formulas li[data-step='2']")
    assert "tanh(Wq qi + Wk kj)" in text
    for number in (*steps[:3, 0], *steps[:3, 1], *steps[:3, 4], float(site.scores(0)[2, 5])):
        assert f"{number:#.3g}".replace("-", "−") in text
    assert "∈ ℝ10" in text
    assert "7 more" in text
    assert locale.t("en", "view.panel.formula.states") in text_of(page, ".avp-formulas li[data-step='1']")
    expect(page.locator(".avp-formulas li[data-step='0']")).to_have_count(0)
    assert "oi = ci Wc" in text_of(page, ".avp-formulas li[data-step='6']")


def test_a_dot_product_is_said_to_be_one(show: Show) -> None:
    page = show("dot_pooling", tab="product")
    lock(page, 0, 3)
    site = MADE["dot_pooling"]().sites[0]
    q, k = site.q[0, 0].double().numpy(), site.k[0, 3].double().numpy()
    np.testing.assert_allclose(numbers_in_table(page)[:, :3], np.stack([q, k, q * k], 1), rtol=1e-6)
    expect(page.locator(".av-facts")).to_contain_text(locale.t("en", "view.frame.facts.dot"))
    page.locator('.av-tab[data-tab="code"]').click()
    expect(page.locator(".avp-code-source")).to_contain_text("def dot_product_scores(")


def test_one_query_is_a_row(show: Show) -> None:
    page = show("additive_pooling")
    expect(page.locator(".av-title")).to_have_text("Attention pooling · layer 0 · head 0")
    expect(page.locator(".av-facts")).to_contain_text("1 query · 12 keys")
    expect(page.locator(".av-facts")).to_contain_text("additive scoring, d_att 12")
    expect(page.locator(".av-grid h2")).to_have_text("Attention pooling")
    expect(page.locator(".avp-lines-list.is-query .av-token")).to_have_text(["<state>"])
    expect(page.locator(".avp-lines-list.is-key .avp-lines-token")).to_have_count(len(REVIEW))
    label = page.locator(".av-weights .av-matrix-frame")
    expect(label).to_have_attribute("aria-label", re.compile(r"1 rows \(Queries\) by 12 columns"))
    expect(page.locator(".av-stage")).to_have_count(6)  # no output through W_O
    first = page.locator(".av-stage[data-step='0']")
    expect(first).to_contain_text(locale.t("en", "view.frame.formula.0.states"))
    expect(first.locator(".av-matrix")).to_have_count(0)


def test_each_site_has_its_own_code(show: Show) -> None:
    page = show("mixed", tab="code")
    name, buttons = page.locator(".avp-code-name"), page.locator(".avp-code-stages button")
    expect(name).to_have_text("attention.dot_product_scores")
    expect(buttons).to_have_count(7)
    page.locator('.av-thumb[data-site="readout.0.cross"][data-head="0"]').click()
    expect(name).to_have_text("attention.additive_scores")
    expect(page.locator(".avp-code-source")).to_contain_text("torch.tanh(queries + keys) @ w_v")
    expect(buttons).to_have_count(5)  # nothing projects q, k and v, and there is no W_O
    page.locator('.av-thumb[data-site="encoder.0.self"][data-head="1"]').click()
    expect(name).to_have_text("attention.dot_product_scores")


def test_the_panel_follows_from_one_scoring_function_to_another(show: Show) -> None:
    page = show("mixed", tab="product")
    lock(page, 5, 2)
    expect(page.locator(".avp-product-table thead th")).to_have_count(5)
    page.locator('.av-thumb[data-site="readout.0.cross"][data-head="0"]').click()
    page.keyboard.press("Escape")
    lock(page, 0, 2)
    np.testing.assert_allclose(numbers_in_table(page), steps_of(MADE["mixed"]().sites[2], 0, 2), rtol=1e-6, atol=1e-6)


def test_outputs_that_are_values_are_shown_as_they_are(show: Show) -> None:
    page = show("forecast", tab="outputs")
    values = MADE["forecast"]().logits
    rows = page.locator(".avp-outputs-row")
    expect(rows).to_have_count(6)
    chips = [chip.get_attribute("title") or "" for chip in rows.nth(1).locator(".avp-outputs-chip").all()]
    np.testing.assert_allclose([float(text.replace("−", "-")) for text in chips], values[1, :3], rtol=1e-6)
    lock(page, 3, 0)
    items = page.locator(".avp-outputs-detail li")
    expect(items).to_have_count(5)
    shown = [float((item.get_attribute("title") or "").replace("−", "-")) for item in items.all()]
    np.testing.assert_allclose(shown, values[3], rtol=1e-6)
    expect(page.locator(".avp-outputs-detail")).to_contain_text("Values at position 3")


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_nothing_is_cut_off_on_a_phone(show: Show, lang: str) -> None:
    page = show("additive_pooling", width=390, height=844, tab="product", lang=lang)
    lock(page, 0, 3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator(".avp-product-scroll")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")  # in its own box


def test_a_saved_page_computes_additive_scores_as_well(open_file: OpenFile, tmp_path: Path) -> None:
    trace = MADE["additive_pooling"]()
    page = open_file(to_html(trace, tmp_path / "pooling.html"), "tab=product")
    view(page)
    lock(page, 0, 3)
    np.testing.assert_allclose(numbers_in_table(page), steps_of(trace.sites[0], 0, 3), rtol=1e-6, atol=1e-6)
