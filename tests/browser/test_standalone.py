"""The one-file page in a real browser without a network: opened as a file, and in the frame of a notebook."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import attnviz
from attnviz import edits, locale
from attnviz.trace import Grid, Trace
from attnviz.view.standalone import show, to_html
from tests.browser.conftest import SCHEMES, Scheme, tabs, view
from tests.gpt2_shape import random_trace
from tests.tiny import MARKUP, tiny_models

OpenFile = Callable[..., Page]
TABS = ("lines", "product", "formula", "outputs", "code")


@pytest.fixture(scope="session")
def alone(browser: Browser) -> BrowserContext:
    """A window without a network."""
    alone = browser.new_context(locale="en-US", offline=True)
    alone.route(re.compile("^(?!about:|file:|blob:|data:)"), lambda route: route.abort())
    return alone


@pytest.fixture
def open_file(alone: BrowserContext) -> Iterator[OpenFile]:
    """Opens a file without a network; any request fails the test: open_file(path, "layer=1", width=390)."""
    with tabs(alone, ("file:", "blob:")) as new_tab:

        def open_file(
            path: Path, link: str = "", width: int = 1440, height: int = 900, scheme: Scheme = "light"
        ) -> Page:
            page = new_tab(width, height, scheme)
            page.goto(f"{path.as_uri()}{'#' if link else ''}{link}")
            return page

        yield open_file


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trace]:
    models = tiny_models(tmp_path_factory.mktemp("models"))
    return {
        "decoder": attnviz.trace(attnviz.load_model(models / "tiny-decoder"), "The fox ran."),
        "markup": attnviz.trace(attnviz.load_model(models / "tiny-decoder"), MARKUP),
        "both": attnviz.trace(attnviz.load_model(models / "tiny-both"), "3rd of March 2021", "2021-03-03"),
    }


def thumbnail(page: Page, site: str, head: int) -> None:
    page.locator(f'.av-thumb[data-site="{site}"][data-head="{head}"]').click()


def numbers_of(page: Page, title: str) -> list[list[str]]:
    """All numbers of the first matrix with that title, as its table shows them."""
    page.get_by_role("button", name=f"Table: {title}", exact=True).first.click()
    rows = page.locator(".avp-dialog tbody tr").all()
    numbers = [row.locator("td").all_inner_texts() for row in rows]
    page.keyboard.press("Escape")
    return numbers


def link_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).fragment).items()}


def wait_for_link(page: Page, **parameters: str | None) -> None:
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([k, v]) => new URLSearchParams(location.hash.slice(1)).get(k) === v)",
        arg=parameters,
    )


def test_the_file_opens_with_the_chosen_head_and_the_proof(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path
) -> None:
    trace = traces["decoder"]
    page = open_file(to_html(trace, tmp_path / "a.html", heads=[(1, 2)]))
    root = view(page)
    expect(root).to_have_attribute("data-site", "decoder.1.self")
    expect(root).to_have_attribute("data-head", "2")
    expect(root).to_have_attribute("data-loaded", "true")
    proof = page.locator(".av-proof")
    expect(proof).to_have_attribute("data-exact", "true")
    error = max(entry.max_abs_error for entry in trace.proof())
    assert float(proof.get_attribute("data-error") or "1") == error
    shown = numbers_of(page, "Weights")
    weights = trace.site("decoder.1.self").weights(2)
    assert [len(shown), len(shown[0])] == list(weights.shape)
    assert float(shown[-1][3]) == pytest.approx(float(weights[-1, 3]), rel=5e-3)
    for hidden in (".av-download", ".av-problem"):
        expect(page.locator(hidden)).to_be_hidden()


def test_every_stage_of_a_whole_head_is_drawn(open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path) -> None:
    page = open_file(to_html(traces["both"], tmp_path / "a.html", heads=[("decoder.1.cross", 0)]))
    view(page)
    page.locator(".av-chain").scroll_into_view_if_needed()
    for stage in ("x", "x_kv", "q", "k", "v", "scores", "masked", "weights", "context", "output"):
        expect(page.locator(f'.av-chain .av-matrix[data-stage="{stage}"]')).to_have_attribute("aria-busy", "false")
    expect(page.locator(".av-chain .av-absence:visible")).to_have_count(0)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize(
    ("name", "site", "said"),
    [
        ("reverse", 0, ("LN(X)", "LN(X)", "LN(X)")),
        ("induction", 1, ("LN(X)", "LN(X)", "LN(X)")),  # rotary
        ("dates", 2, ("LN(X)", "M", "M")),  # cross-attention
    ],
)
def test_the_formula_names_the_matrices_that_make_q_k_and_v(
    open_file: OpenFile, tmp_path: Path, lang: str, name: str, site: int, said: tuple[str, ...]
) -> None:
    model = attnviz.load_model(f"zoo/{name}")
    text, *rest = model.card.examples[0] if isinstance(model.card.examples[0], tuple) else [model.card.examples[0]]
    trace = attnviz.trace(model, text, *rest)
    path = to_html(trace, tmp_path / "file.html", heads=[(trace.sites[site].name, 0)], lang=lang)
    page = open_file(path, "tab=formula")
    stages = view(page).locator(".av-stage")
    formula = stages.nth(1).locator(".av-formula")
    told = [f"{letter} = {source}·W_{letter} + b_{letter}" for letter, source in zip("QKV", said, strict=True)]
    turned = [locale.t(lang, "view.frame.formula.1.rotary")] if trace.sites[site].rotary else []
    expect(formula).to_have_text(
        " · ".join(["   ".join(told), locale.t(lang, "view.frame.formula.1.columns"), *turned])
    )
    expect(stages.nth(0).locator(".av-matrix-title")).to_have_text(list(dict.fromkeys(said)))
    expect(stages.nth(0).locator(".av-formula")).to_contain_text("LN(X)")
    projected = view(page).locator(".avp-formulas li[data-step='1']")
    for letter, source in zip("QKV", said, strict=True):
        expect(projected).to_contain_text(f"{'LN(x' if source == 'LN(X)' else 'm'}")
        expect(projected).to_contain_text(f"b{letter}")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for line in (formula, projected):
            assert line.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), f"a formula is cut off at {width} px"


def test_another_head_shows_its_rounded_weights_and_says_so(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path
) -> None:
    trace = traces["decoder"]
    page = open_file(to_html(trace, tmp_path / "a.html"))
    root = view(page)
    expect(page.locator(".av-note")).to_have_text("")
    thumbnail(page, "decoder.2.self", 3)
    expect(root).to_have_attribute("data-loaded", "true")
    note = locale.t("en", "view.standalone.rounded", step="0.0001", site="decoder.2.self", head=3)
    expect(page.locator(".av-note")).to_have_text(note)
    weights = trace.site("decoder.2.self").weights(3)
    for row, numbers in zip(weights, numbers_of(page, "Weights"), strict=True):
        for weight, number in zip(row, numbers, strict=True):
            assert re.fullmatch(r"[01](\.\d{1,4})?", number)
            assert abs(float(number) - float(weight)) <= 0.5e-4 + 0.5e-3  # rounded for the file, then to three digits
    page.locator(".av-chain").scroll_into_view_if_needed()
    absence = page.locator('.av-chain .av-matrix[data-stage="scores"] .av-absence')
    expect(absence).to_have_text(locale.t("en", "view.standalone.absent"))
    expect(page.locator('.av-chain .av-matrix[data-stage="weights"] .av-absence')).to_be_hidden()
    thumbnail(page, "decoder.0.self", 0)
    expect(page.locator(".av-note")).to_have_text("")
    expect(page.locator('.av-chain .av-matrix[data-stage="scores"] .av-absence')).to_be_hidden()


def test_what_is_worked_out_from_rounded_weights_has_no_false_digits(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path
) -> None:
    page = open_file(to_html(traces["decoder"], tmp_path / "a.html"), "layer=1&head=1&hide=first")
    expect(view(page)).to_have_attribute("data-loaded", "true")
    with page.expect_download() as download:
        page.locator(".av-weights").get_by_role("button", name=re.compile("^Export")).click()
        page.get_by_role("menuitem", name=re.compile("^CSV")).click()
    table = list(csv.reader(download.value.path().read_text("utf-8-sig").splitlines()))
    weights = traces["decoder"].site("decoder.1.self").weights(1).double()
    kept = weights[:, 1:] / weights[:, 1:].sum(-1, keepdim=True)
    for row in range(1, len(weights)):
        error = 0.5e-4 / float(weights[row, 1:].sum())
        for text, weight in zip(table[row + 1][1:], kept[row], strict=True):
            half = 0.5 * 10.0 ** -len(text.partition(".")[2])
            assert half >= error / 10 or float(text) in (0, 1)
            assert abs(float(text) - float(weight)) <= half + 2 * error


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_tabs_open_in_both_languages(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path, lang: str
) -> None:
    page = open_file(to_html(traces["both"], tmp_path / "a.html", lang=lang), "lock=1&layer=0&q=2&k=1")
    root = view(page)
    assert page.evaluate("document.documentElement.lang") == lang
    for head in (0, 1):  # whole, and rounded
        thumbnail(page, "encoder.0.self", head)
        expect(root).to_have_attribute("data-head", str(head))
        for tab in TABS:
            page.locator(f'.av-tab[data-tab="{tab}"]').click()
            expect(page.locator(".av-panel")).to_have_attribute("data-tab", tab)
            expect(page.locator(f'.av-tab[data-tab="{tab}"]')).to_have_text(locale.t(lang, f"view.frame.tab.{tab}"))
    expect(page.locator(".page-note")).to_contain_text("float32")


def test_the_link_holds_the_picture(open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path) -> None:
    path = to_html(traces["both"], tmp_path / "a.html")
    page = open_file(path)
    view(page)
    thumbnail(page, "decoder.1.cross", 2)
    page.locator('.av-tab[data-tab="formula"]').click()
    wait_for_link(page, stack="decoder", kind="cross", layer="1", head="2", tab="formula")
    other = open_file(path, urlsplit(page.url).fragment + "&q=3&k=4&lock=1")
    root = view(other)
    expect(root).to_have_attribute("data-site", "decoder.1.cross")
    expect(root).to_have_attribute("data-head", "2")
    assert (root.get_attribute("data-query"), root.get_attribute("data-key")) == ("3", "4")
    expect(other.locator(".av-panel")).to_have_attribute("data-tab", "formula")
    other.keyboard.press("Escape")
    wait_for_link(other, lock=None, q=None)
    other.evaluate("location.hash = 'layer=0&kind=self&stack=encoder&head=1'")
    expect(root).to_have_attribute("data-site", "encoder.0.self")
    expect(root).to_have_attribute("data-head", "1")


def test_the_tour_of_a_file_asks_for_nothing_that_it_cannot_do(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path
) -> None:
    page = open_file(to_html(traces["decoder"], tmp_path / "a.html", heads=[(1, 2)]), "tour=7")
    tour = page.get_by_role("region", name=locale.t("en", "view.tour.title"))
    expect(tour).to_contain_text(locale.t("en", "view.tour.value"))
    expect(tour).not_to_contain_text(locale.t("en", "view.tour.change").strip())


@pytest.mark.parametrize("link", ["layer=9&head=0", "layer=0&head=99&q=77&lock=1", "head=x&tab=y", "%00=%ff&&=#"])
def test_a_wrong_link_opens_all_the_same(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path, link: str
) -> None:
    page = open_file(to_html(traces["decoder"], tmp_path / "a.html"), link)
    expect(view(page)).to_have_attribute("data-loaded", "true")


def test_the_page_fits_a_phone_and_follows_the_theme(
    open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path
) -> None:
    page = open_file(to_html(traces["markup"], tmp_path / "a.html"), width=390, height=844, scheme="dark")
    for scheme in reversed(SCHEMES):
        page.emulate_media(color_scheme=scheme)
        expect(view(page)).to_have_attribute("data-theme", scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        expect(page.locator(".attnviz")).to_have_css("background-color", ground)


def test_markup_in_a_text_stays_text(open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path) -> None:
    page = open_file(to_html(traces["markup"], tmp_path / "a.html", title=f"{MARKUP}<img src=x onerror=alert(1)>"))
    view(page)
    assert page.title() == f"{MARKUP}<img src=x onerror=alert(1)>"
    assert page.locator("h1").inner_text() == page.title()
    assert page.locator(".page-texts dd").inner_text() == MARKUP
    assert page.locator("img").count() == 0


def test_a_notebook_shows_it_in_a_frame(open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    frame_html = show(traces["decoder"], heads=[(2, 1)], height=700, live=False)._repr_html_()
    notebook.write_text(f"<!doctype html><title>Notebook</title><h1>Cell</h1>{frame_html}", "utf-8")
    page = open_file(notebook, width=1000)
    frame = page.frame_locator("iframe")
    root = frame.locator(".attnviz[data-ready=true]")
    expect(root).to_have_attribute("data-site", "decoder.2.self")
    frame.locator('.av-thumb[data-site="decoder.0.self"][data-head="3"]').click()
    expect(root).to_have_attribute("data-head", "3")
    expect(root).to_have_attribute("data-loaded", "true")
    frame.locator('.av-tab[data-tab="outputs"]').click()
    page.wait_for_timeout(400)  # an address would be written by now
    assert page.url == notebook.as_uri()
    assert page.locator("iframe").bounding_box() == pytest.approx(
        {"x": 8, "y": 83, "width": 984, "height": 700}, abs=30
    )


def test_before_and_after_an_edit_come_along(open_file: OpenFile, traces: dict[str, Trace], tmp_path: Path) -> None:
    plain = traces["decoder"]
    edited = plain.with_edits([edits.cut("decoder.0.self", key=0)])
    page = open_file(to_html(edited, tmp_path / "a.html", heads=[(0, 1)], beside=plain))
    expect(page.locator(".page-texts")).to_contain_text("Decoder self-attention · layer 0 · all heads: cut key")
    root = view(page)
    after = numbers_of(page, "Weights")
    assert after[2][0] == "0"
    expect(root).to_contain_text("The forward pass is changed: Decoder self-attention · layer 0 · all heads: cut key")
    expect(page.locator(".av-stage[data-step='3'] .av-formula")).to_contain_text(
        "edited: Decoder self-attention · layer 0 · all heads: cut key"
    )
    page.locator('.av-tab[data-tab="formula"]').click()
    expect(page.locator(".avp-formulas li[data-step='3'] .is-numbers")).to_contain_text("all heads: cut key")
    page.locator('.av-tab[data-tab="code"]').click()
    page.get_by_role("button", name="This view", exact=True).click()
    code = page.locator(".avp-code-source").inner_text()
    assert 'edits.cut("decoder.0.self", key=0)' in code
    assert code.endswith("print(weights)")
    page.get_by_role("button", name="Before", exact=True).click()
    expect(root).to_have_attribute("data-side", "other")
    expect(root).to_have_attribute("data-loaded", "true")
    before = numbers_of(page, "Weights")
    assert float(before[2][0]) == pytest.approx(float(plain.sites[0].weights(1)[2, 0]), rel=1e-2)
    thumbnail(page, "decoder.1.self", 2)  # of which there are the weights alone
    page.get_by_role("button", name="Difference", exact=True).click()
    expect(root).to_have_attribute("data-side", "difference")
    expect(root).to_have_attribute("data-loaded", "true")


def test_an_image_comes_along(open_file: OpenFile, tmp_path: Path) -> None:
    trace = random_trace(17)
    patches = replace(trace.sequences["decoder"], grid=Grid(4, 4, 1))
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    trace = replace(trace, sequences={"decoder": patches}, image=image)
    page = open_file(to_html(trace, tmp_path / "a.html"), "tab=image")
    root = view(page)
    expect(page.locator(".avp-image canvas").first).to_be_visible()
    expect(page.locator(".avp-image")).to_contain_text(re.compile(r"\d\.\d+%"))
    thumbnail(page, "decoder.3.self", 4)
    expect(root).to_have_attribute("data-head", "4")
    expect(page.locator(".avp-image")).to_contain_text(re.compile(r"\s\d+%"))
    expect(page.locator(".avp-image")).not_to_contain_text(re.compile(r"\d\.\d+%"))


def test_512_tokens_in_the_shape_of_gpt2_open(open_file: OpenFile, tmp_path: Path) -> None:
    trace = random_trace(512)
    path = to_html(trace, tmp_path / "a.html", heads=[(5, 3)])
    assert path.stat().st_size < 20e6
    page = open_file(path)
    root = view(page)
    expect(root).to_have_attribute("data-loaded", "true")
    thumbnail(page, "decoder.11.self", 11)
    expect(root).to_have_attribute("data-site", "decoder.11.self")
    expect(root).to_have_attribute("data-loaded", "true")


def test_a_browser_that_is_too_old_says_so(alone: BrowserContext, traces: dict[str, Trace], tmp_path: Path) -> None:
    with tabs(alone, ("file:",), forgiven="DecompressionStream") as new_tab:
        page = new_tab(is_changed=True)
        page.add_init_script("delete window.DecompressionStream")
        page.goto(to_html(traces["decoder"], tmp_path / "a.html", lang="zh").as_uri())
        expect(page.locator("#attnviz-failed")).to_have_text(locale.t("zh", "standalone.failed"))
