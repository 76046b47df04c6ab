"""The browser view on traces as real models make them: sub-words, sentences, biases, sinks, images, many heads.

The traces are made up, see `made_up`: a small server gives them to the view as the app does, without the app.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Locator, Page, expect

from attnviz import locale
from attnviz.view.modules import served
from tests.browser.conftest import Scheme, addresses, at, tabs, until, view
from tests.browser.made_up import MADE, make_app, two_sentences


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(make_app(), log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


Show = Callable[..., Page]


@pytest.fixture
def show(address: str, window: BrowserContext) -> Iterator[Show]:
    """Opens the view of a trace: show("picture", width=390, tab="outputs")."""
    with tabs(window, addresses(address)) as new_tab:

        def show(name: str, width: int = 1440, height: int = 900, scheme: Scheme = "light", **link: str) -> Page:
            page = new_tab(width, height, scheme)
            page.goto(f"{address}/{name}?{urlencode(link)}")
            expect(view(page)).to_have_attribute("data-loaded", "true")
            return page

        yield show


MADE_UP = """
const { Panel } = panels_panel_js;
class MadeUp extends Panel {
  static id = "made-up";
  static fields = { depth: oneOf("3", ["1", "2", "3"]) };
  update(state) {
    this.element.textContent = `depth ${state.depth}`;
  }
}
PANELS.push(MadeUp);
"""
END_OF_REGISTRY = "return { PANELS, panelFields };"


def test_one_entry_is_all_that_a_panel_needs(address: str, window: BrowserContext) -> None:
    """Its tab, its name and what it keeps in the address, and its place among the arrow keys follow."""
    before, end, after = served().decode().partition(END_OF_REGISTRY)
    assert end
    views = before + MADE_UP + end + after
    with tabs(window, addresses(address)) as new_tab:
        page = new_tab()
        page.route("**/view/modules.js*", lambda route: route.fulfill(body=views, content_type="text/javascript"))
        page.goto(f"{address}/token_labels?tab=made-up&depth=2")
        expect(page.locator(".av-panel > .avp-made-up")).to_have_text("depth 2")
        chosen = page.locator(".av-tabs .av-tab[aria-selected=true]")
        expect(chosen).to_have_attribute("data-tab", "made-up")
        chosen.press("ArrowLeft")
        expect(chosen).to_have_attribute("data-tab", "code")
        page.wait_for_url("**tab=code**depth=2**")
        chosen.press("ArrowRight")
        page.wait_for_url("**tab=made-up**depth=2**")


def press(page: Page, choice: str, value: str) -> None:
    page.locator(f'.av-toolbar button[data-{choice}="{value}"]').click()
    expect(page.locator(f'.av-toolbar button[data-{choice}="{value}"]')).to_have_attribute("aria-pressed", "true")


def table(page: Page) -> tuple[np.ndarray, list[str], list[str]]:
    """The weights in full precision, and the tokens of the queries and keys."""
    page.locator(".av-weights").get_by_role("button", name=locale.t("en", "view.frame.matrix.table")).click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("button", name=locale.t("en", "view.panel.table.full")).click()
    rows = dialog.locator("tbody tr th .av-token").all_inner_texts()
    columns = dialog.locator("thead th .av-token").all_inner_texts()
    numbers = [float(text.replace("−", "-")) for text in dialog.locator("td").all_inner_texts()]
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    return np.array(numbers).reshape(len(rows), len(columns)), rows, columns


def weights_of(name: str, site: int = 0, head: int = 0) -> np.ndarray:
    return np.asarray(MADE[name]().sites[site].weights(head), dtype=np.float64)


MERGED = [[0], [1], [2], [3], [4, 5, 6], [7], [8], [9], [10, 11], [12]]
MERGED_NAMES = ["[CLS]", "my", "dog", "is", "unbelievable", "[SEP]", "he", "[MASK]", "playing", "[SEP]"]


def test_words_are_shown_and_the_chain_stays_token_by_token(show: Show) -> None:
    page = show("two_sentences")
    press(page, "words", "true")
    numbers, queries, keys = table(page)
    assert queries == keys == MERGED_NAMES
    weights = weights_of("two_sentences")
    expected = [[weights[np.ix_(a, b)].sum() / len(a) for b in MERGED] for a in MERGED]
    np.testing.assert_allclose(numbers, expected, atol=1e-6)
    np.testing.assert_allclose(numbers.sum(1), 1, atol=1e-6)
    expect(page.locator(".av-note")).to_contain_text(locale.t("en", "view.frame.words.note"))
    expect(page.locator(".avp-lines-list.is-query .av-token")).to_have_text(MERGED_NAMES)
    label = page.locator(".av-chain [data-stage=weights] .av-matrix-frame")
    expect(label).to_have_attribute("aria-label", re.compile("13 rows"))
    page.wait_for_function("new URLSearchParams(location.search).get('words') === '1'")
    page.reload()
    expect(page.locator('.av-toolbar button[data-words="true"]')).to_have_attribute("aria-pressed", "true")


def test_hiding_comes_before_merging(show: Show) -> None:
    page = show("two_sentences", words="1", hide="specials")
    numbers, queries, keys = table(page)
    kept = [group for group in MERGED if len(group) > 1 or group[0] not in (0, 7, 12)]
    assert queries == MERGED_NAMES
    assert keys == [name for name in MERGED_NAMES if not name.startswith("[") or name == "[MASK]"]
    weights = weights_of("two_sentences")
    weights[:, [0, 7, 12]] = 0
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(
        numbers, [[weights[np.ix_(a, b)].sum() / len(a) for b in kept] for a in MERGED], atol=1e-6
    )
    for named in ("[CLS] (#0)", "[SEP] (#7)", "[SEP] (#12)"):
        expect(page.locator(".av-note")).to_contain_text(named)
    struck = page.locator(".avp-lines-list.is-key .is-hidden .av-token")
    expect(struck).to_have_text(["[CLS]", "[SEP]", "[SEP]"])


def test_a_sentence_reads_a_sentence(show: Show) -> None:
    page = show("two_sentences")
    labels = MADE["two_sentences"]().sequences["encoder"].labels
    for pair, a, b in (("ab", range(1, 7), range(8, 12)), ("bb", range(8, 12), range(8, 12))):
        press(page, "pair", pair)
        numbers, queries, keys = table(page)
        np.testing.assert_allclose(numbers, weights_of("two_sentences")[np.ix_(a, b)], atol=1e-7)  # not renormalised
        assert (queries, keys) == ([labels[i] for i in a], [labels[j] for j in b])
        expect(page.locator(".av-note")).to_contain_text("not renormalised")
        expect(page.locator(".avp-lines-list.is-key .avp-lines-token")).to_have_count(len(b))
        page.wait_for_function("wanted => new URLSearchParams(location.search).get('pair') === wanted", arg=pair)


def test_heads_are_drawn_together_in_their_colours(show: Show) -> None:
    page = show("two_sentences")
    squares = page.locator(".avp-heads-square")
    together = page.locator('.avp-heads-square[aria-pressed="true"]')
    expect(squares).to_have_count(4)
    expect(together).to_have_count(0)
    squares.nth(1).click()
    squares.nth(3).click()
    page.wait_for_function("new URLSearchParams(location.search).get('heads') === '1,3'")
    page.locator(".avp-lines-list.is-query [role=option]").nth(3).hover()
    key = page.locator(".avp-lines-list.is-key [role=option]").nth(5)
    expect(key).to_have_css("background-image", re.compile(r"^linear-gradient\(to right, .*50%.*50%"))
    site = two_sentences().sites[0]
    shown = [line.split()[-1] for line in (key.get_attribute("title") or "").splitlines()]
    expected = [float(site.weights(head)[3, 5]) for head in (1, 3)]
    np.testing.assert_allclose([float(number.replace("−", "-")) for number in shown], expected, rtol=1e-5)
    page.reload()
    expect(together).to_have_count(2)
    squares.nth(2).dblclick()
    page.wait_for_function("new URLSearchParams(location.search).get('heads') === '2'")
    page.get_by_role("button", name=locale.t("en", "view.panel.heads.one")).click()
    expect(together).to_have_count(0)
    page.wait_for_function("!new URLSearchParams(location.search).has('heads')")


def test_models_without_words_or_sentences_have_no_such_choice(show: Show) -> None:
    page = show("token_labels", words="1", pair="ab")
    for choice in ("words", "pair"):
        expect(page.locator(f".av-toolbar button[data-{choice}]").first).to_be_hidden()
    expect(page.locator(".av-note")).to_have_text("")
    assert table(page)[1] == ["[CLS]", "Ada", "Paris", "[SEP]"]


def test_pointing_at_a_word_marks_its_first_token(show: Show) -> None:
    page = show("two_sentences", words="1")
    matrix = page.locator(".av-weights .av-scroller")
    matrix.click(position=at(matrix, 0.45, 0.85))  # "unbelievable" of "playing"
    expect(page.locator(".attnviz")).to_have_attribute("data-query", "10")
    expect(page.locator(".attnviz")).to_have_attribute("data-key", "4")
    expect(page.locator(".av-tooltip")).to_contain_text("mean over queries: 2, sum over keys: 3")
    page.keyboard.press("Escape")
    expect(page.locator(".attnviz")).to_have_attribute("data-locked", "false")


def test_the_picture_stays_where_it_is_under_the_pointer(show: Show) -> None:
    page = show("two_sentences", words="1")
    root, matrix = page.locator(".attnviz"), page.locator(".av-weights .av-scroller")
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 2000})
        matrix.hover(position={"x": 5, "y": 5})  # it stands still
        expect(root).to_have_attribute("data-query", "0")
        place, lengths = matrix.bounding_box(), set()
        assert place is not None
        for row, query in ((0.5, "7"), (0.85, "10"), (0.95, "12")):
            page.mouse.move(place["x"] + 0.45 * place["width"], place["y"] + row * place["height"])
            expect(root).to_have_attribute("data-query", query)
            lengths.add(len(page.locator(".av-sentence").inner_text()))
            assert matrix.bounding_box() == place, width
        assert len(lengths) > 1  # longer and shorter ones


def test_groups_of_heads_have_tabs(show: Show) -> None:
    page = show("three_stacks")
    tabs = page.locator(".av-grid-tabs [role=tab]")
    expect(tabs).to_have_text(["Encoder", "Decoder", "Cross"])
    tabs.nth(2).click()
    page.locator('.av-thumb[data-site="decoder.3.cross"][data-head="2"]').click()
    expect(page.locator(".av-title")).to_have_text("Cross-attention · layer 3 · head 2")
    tabs.nth(2).press("ArrowLeft")
    expect(tabs.nth(1)).to_be_focused()
    expect(page.locator(".av-row-head")).to_have_count(6)
    expect(page.locator('.av-thumb[tabindex="0"]')).to_have_count(1)  # a way in for the keyboard
    page.locator('.av-thumb[tabindex="0"]').press("ArrowUp")  # from the first decoder layer to the last encoder layer
    expect(page.locator(".attnviz")).to_have_attribute("data-site", "encoder.5.self")
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")


def test_few_rows_stand_together(show: Show) -> None:
    page = show("sinks")
    expect(page.locator(".av-grid-tabs")).to_be_hidden()


def test_windows_are_named(show: Show) -> None:
    page = show("windows")
    page.locator('.av-thumb[data-site="encoder.0.self.w3"][data-head="1"]').click()
    expect(page.locator(".av-title")).to_have_text("Encoder self-attention · layer 0 · window 3 · head 1")
    page.wait_for_function("new URLSearchParams(location.search).get('part') === '3'")
    image = page.locator(".avp-image-canvas")
    image.hover(position=at(image, 11.5 / 12, 1.5 / 12))
    expect(page.locator(".attnviz")).to_have_attribute("data-query", "5")  # row 1, column 2 of the window
    image.hover(position=at(image, 0.5 / 12, 0.5 / 12))
    expect(page.locator(".attnviz")).to_have_attribute("data-query", "5")  # another window: not this head's
    expect(page.locator(".av-stage")).to_have_count(7)
    page.locator(".av-chain").scroll_into_view_if_needed()
    expect(page.locator(".av-stage[data-step='0'] .av-absence")).to_be_visible()
    expect(page.locator(".av-row-head").nth(3)).to_have_text("0·3")
    assert page.locator(".av-row-head").count() < 40  # of 40 windows, those in sight


def test_thousands_of_heads_scroll(show: Show) -> None:
    page = show("many_heads")
    box = page.locator(".av-grid-scroll")
    assert page.locator("button.av-thumb").count() < 36 * 64
    assert box.evaluate("box => box.scrollHeight > box.clientHeight && box.scrollWidth > box.clientWidth")
    box.evaluate("box => box.scrollTo(10_000, 10_000)")
    last = page.locator('.av-thumb[data-site="decoder.35.self"][data-head="63"]')
    last.click()
    expect(page.locator(".av-title")).to_contain_text("layer 35 · head 63")
    expect(last).to_have_attribute("aria-selected", "true")
    outer, row = box.bounding_box(), page.locator(".av-row-head").last.bounding_box()
    heads = page.locator(".av-grid-heads").bounding_box()
    assert outer is not None
    assert row is not None
    assert heads is not None
    assert 0 <= row["x"] - outer["x"] < 12  # the name of the layer stays beside its heads
    assert abs(heads["y"] - outer["y"]) < 4  # and the numbers of the heads above them
    last.press("ArrowLeft")
    expect(page.locator(".attnviz")).to_have_attribute("data-head", "62")
    expect(page.locator(":focus")).to_have_attribute("data-head", "62")


def test_a_long_text_brings_its_stages_when_they_are_seen(show: Show) -> None:
    page = show("long_text", height=300)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(400)
    assert not any("/bundle" in url for url in asked)
    scores = page.locator(".av-chain [data-stage=scores]")
    reserved = scores.bounding_box()
    page.locator(".av-stage[data-step='2']").scroll_into_view_if_needed()
    expect(scores).to_have_attribute("aria-busy", "false")
    assert any("/bundle" in url for url in asked)
    arrived = scores.bounding_box()
    assert reserved is not None
    assert arrived is not None
    assert (reserved["width"], reserved["height"]) == (arrived["width"], arrived["height"])
    assert page.evaluate("document.querySelectorAll('*').length") < 2500


def width_of(element: Locator) -> int:
    width: int = element.evaluate("element => element.clientWidth")
    return width


def test_a_long_text_is_zoomed(show: Show) -> None:
    page = show("long_text")
    weights = page.locator(".av-weights")
    larger = weights.get_by_role("button", name=locale.t("en", "view.frame.chain.zoom.in"))
    smaller = weights.get_by_role("button", name=locale.t("en", "view.frame.chain.zoom.out"))
    expect(smaller).to_be_disabled()
    spacer = weights.locator(".av-scroller > div")
    width = width_of(spacer)
    larger.click()
    until(page, lambda: width_of(spacer) == 2 * width, "it is not twice as wide")
    weights.locator(".av-matrix-frame").press("-")
    expect(smaller).to_be_disabled()
    until(page, lambda: width_of(spacer) == width, "it is not as it was")


def test_a_model_without_outputs_says_so(show: Show) -> None:
    page = show("two_encoders", tab="outputs")
    none = locale.t("en", "view.panel.outputs.none")
    expect(page.locator(".avp-outputs")).to_have_text(none, use_inner_text=True)


def test_one_label_for_the_whole(show: Show) -> None:
    page = show("picture", tab="outputs")
    items = page.locator(".avp-outputs-detail li")
    expect(items).to_have_count(4)  # all labels: nothing is left over
    logits = MADE["picture"]().logits[0]
    expect(items.first).to_contain_text(("cat", "dog", "sun", "boat")[int(logits.argmax())])
    expect(page.locator(".avp-outputs-scroll")).to_be_hidden()


def test_a_label_for_every_token(show: Show) -> None:
    page = show("token_labels", tab="outputs")
    rows = page.locator(".avp-outputs-row")
    expect(rows).to_have_count(4)
    best = MADE["token_labels"]().logits.argmax(1)
    for row, label in zip(rows.all(), best.tolist(), strict=True):
        expect(row.locator(".avp-outputs-chip").first).to_contain_text(("O", "PER", "LOC")[label])


def test_what_is_hidden_comes_first(show: Show) -> None:
    page = show("two_sentences", tab="outputs")
    first = page.locator(".avp-outputs-row").first
    expect(first).to_contain_text("[MASK]")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.locator(".avp-outputs-detail")).to_contain_text("[MASK]")
    best = MADE["two_sentences"]().logits[9].argmax()
    expect(page.locator(".avp-outputs-detail li").first).to_contain_text(f"word{best}")


def test_an_image_is_read_patch_by_patch(show: Show) -> None:
    page = show("picture")
    first = page.locator(".av-tabs .av-tab:visible").first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(first).to_have_text("Image")
    caption = page.locator(".avp-image-caption")
    expect(caption).to_contain_text("Average over 197 queries")
    image = page.locator(".avp-image-canvas")
    image.hover(position=at(image, 8.5 / 14, 3.5 / 14))
    root = page.locator(".attnviz")
    expect(root).to_have_attribute("data-query", str(1 + 3 * 14 + 8))
    expect(caption).to_contain_text("3,8")
    page.mouse.move(5, 5)
    page.locator(".avp-image-canvas").press("ArrowRight")
    expect(root).to_have_attribute("data-query", "1")
    page.keyboard.press("ArrowDown")
    expect(root).to_have_attribute("data-query", "15")
    page.keyboard.press("Enter")
    expect(root).to_have_attribute("data-locked", "true")
    page.keyboard.press("Escape")
    expect(root).to_have_attribute("data-locked", "false")
    page.locator(".avp-image-tokens [role=option]").filter(has_text="[CLS]").click()
    expect(root).to_have_attribute("data-query", "0")


def darkness(page: Page) -> float:
    """How much ink the thumbnails have."""
    total: float = page.locator(".av-grid-picture").first.evaluate(
        """canvas => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            const pen = copy.getContext("2d", { willReadFrequently: true });
            pen.fillStyle = "white";
            pen.fillRect(0, 0, copy.width, copy.height);
            pen.drawImage(canvas, 0, 0);
            const pixels = pen.getImageData(0, 0, copy.width, copy.height).data;
            return pixels.reduce((sum, x, i) => sum + (i % 4 === 3 ? 0 : 255 - x), 0);
        }"""
    )
    return total


def test_many_keys_are_drawn_with_contrast(show: Show) -> None:
    page = show("picture")
    button = page.locator(".av-toolbar button[data-scale=contrast]")
    legend = page.locator(".av-weights .av-legend")
    expect(button).to_have_attribute("aria-pressed", "true")
    weights = weights_of("picture")
    shown = float(legend.inner_text().split("≥")[1])
    assert np.quantile(weights, 0.995) * 0.995 <= shown <= np.quantile(weights, 0.995) * 1.02
    expect(page.locator(".av-note")).to_contain_text(locale.t("en", "view.frame.scale.note"))
    until(page, lambda: darkness(page) > 0, "no thumbnail is drawn")
    dark = darkness(page)
    press(page, "scale", "one")
    expect(legend).to_contain_text("1.00")
    expect(page.locator(".av-note")).not_to_contain_text(locale.t("en", "view.frame.scale.note"))
    page.wait_for_function("new URLSearchParams(location.search).get('scale') === 'one'")
    until(page, lambda: darkness(page) < 0.9 * dark, "the thumbnails do not follow")


def test_only_the_image_has_an_image(show: Show) -> None:
    page = show("two_encoders")
    expect(page.locator('.av-tab[data-tab="image"]')).to_be_hidden()
    expect(page.locator('.av-tab[data-tab="lines"]')).to_have_attribute("aria-selected", "true")
    page.locator(".av-grid-tabs [role=tab]").nth(1).click()
    page.locator('.av-thumb[data-site="vision.2.self"][data-head="1"]').click()
    expect(page.locator('.av-tab[data-tab="image"]')).to_have_attribute("aria-selected", "true")
    expect(page.locator(".avp-image-canvas")).to_be_visible()


def formula(page: Page, query: int, key: int) -> str:
    """The formulas of a pair, as they read, after a walk with the keyboard from the first cell."""
    frame = page.locator(".av-weights .av-matrix-frame")
    frame.press("ArrowDown")
    for _ in range(query):
        frame.press("ArrowDown")
    for _ in range(key):
        frame.press("ArrowRight")
    root = page.locator(".attnviz")
    expect(root).to_have_attribute("data-query", str(query))
    expect(root).to_have_attribute("data-key", str(key))
    expect(page.locator(".avp-formulas li[data-step='4'] .is-numbers")).to_be_visible()
    return re.sub(r"\s+", " ", page.locator(".avp-formula").inner_text())


def test_the_formula_has_the_cap_and_the_sink(show: Show) -> None:
    page = show("sinks", tab="formula")
    site = MADE["sinks"]().sites[0]
    text = formula(page, 10, 9)
    assert "tanh" in text
    assert "3.00" in text
    share = float(1 - site.weights(0)[10].sum())
    assert f"takes {share:.3g}" in text
    assert "P: the projection of this layer" in text
    assert "The input of this layer cannot be seen" in text
    expect(page.locator(".avp-formulas li[data-step='6']")).to_have_count(0)  # W_O is not known
    expect(page.locator(".av-stage")).to_have_count(6)
    expect(page.locator(".av-facts")).to_contain_text("rows sum to less than 1")
    expect(page.locator(".av-facts")).to_contain_text("d_value 5")


@pytest.mark.parametrize(
    ("query", "key", "reason"),
    [
        (5, 8, "comes after"),
        (9, 3, "outside the window"),
        (3, 1, "is padding"),
        (6, 4, "a rule of this model"),
        (1, 0, "nothing to read"),
    ],
)
def test_the_formula_says_why_a_key_is_masked(show: Show, query: int, key: int, reason: str) -> None:
    assert reason in formula(show("sinks", tab="formula"), query, key)


def test_the_formula_has_the_bias(show: Show) -> None:
    page = show("three_stacks", tab="formula")
    site = MADE["three_stacks"]().sites[0]
    text = formula(page, 2, 1)
    bias, masked = float(site.bias_of(0)[2, 1]), float(site.masked(0)[2, 1])
    for number in (bias, masked):
        assert f"{number:.3g}".replace("-", "−") in text
    expect(page.locator(".av-stage[data-step='3'] .av-matrix")).to_have_count(2)
    page.locator('.av-tab[data-tab="product"]').click()
    expect(page.locator(".avp-verdict")).to_contain_text(locale.t("en", "view.panel.product.note.bias"))


def test_an_input_that_is_not_told_is_not_waited_for(show: Show) -> None:
    page = show("sinks")
    page.locator(".av-chain").scroll_into_view_if_needed()
    expect(page.locator(".av-stage[data-step='0'] .av-absence")).to_have_text(
        locale.t("en", "view.frame.matrix.absent")
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".av-tab[data-tab=formula]").click()
    page.wait_for_timeout(300)
    assert not any("stages=x" in url for url in asked)


def test_only_code_that_ran_is_on_show(show: Show) -> None:
    page = show("two_sentences", tab="code")
    stages = ["This view", "Scores", "Masked", "Weights", "Context vectors", "Output"]
    expect(page.locator(".avp-code-stages button")).to_have_text(stages)


@pytest.mark.parametrize(("lang", "scheme"), [("en", "dark"), ("zh", "light")])
@pytest.mark.parametrize("name", ["two_sentences", "three_stacks", "sinks", "picture", "many_heads"])
def test_a_phone_shows_all_of_it(show: Show, name: str, lang: str, scheme: Scheme) -> None:
    page = show(name, 390, 844, scheme, lang=lang, words="1", hide="specials")
    expect(page.locator(".attnviz")).to_have_attribute("data-theme", scheme)
    page.wait_for_timeout(200)
    until(page, lambda: page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), "it is too wide")
    assert "view." not in page.locator(".attnviz").inner_text()
