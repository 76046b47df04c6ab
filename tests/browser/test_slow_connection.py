"""What a browser keeps while the server's answers are late, or overtake each other."""

from __future__ import annotations

from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from attnviz import locale
from tests.browser.conftest import Open, address, link_to, until, view

TEACH = ".st-key-teach"


class Line:
    """Between a page and its server: what the server said, at once or later."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.is_held = False
        self._waiting: list[tuple[WebSocketRoute, str | bytes]] = []

    def tap(self, page: Page) -> None:
        page.route_web_socket("**/_stcore/stream", self._connect)

    def hold(self, page: Page, *moves: int) -> None:
        """Move in the page's history, each time until an answer is there, of which the page learns at the end."""
        self.is_held = True
        for move in moves:
            before = len(self._waiting)
            page.evaluate(f"history.go({move})")
            until(page, lambda least=before: len(self._waiting) > least, f"no answer to a step of {move}")
        while self._waiting:  # what comes meanwhile comes after it
            socket, message = self._waiting.pop(0)
            socket.send(message)
        self.is_held = False

    def _connect(self, socket: WebSocketRoute) -> None:
        socket.connect_to_server().on_message(lambda message: self._answer(socket, message))

    def _answer(self, socket: WebSocketRoute, message: str | bytes) -> None:
        assert isinstance(message, bytes)
        self.said.append(message)
        if self.is_held:
            self._waiting.append((socket, message))
        else:
            socket.send(message)


def test_a_page_that_comes_late_takes_no_step_in_the_history(open_page: Open) -> None:
    line = Line()
    page = open_page(path="training", recipe="copy", prepare=line.tap)
    expect(page.locator(TEACH)).to_be_visible()
    link_to(page, "explorer").click()
    view(page)
    before = page.evaluate("history.length")
    line.hold(page, -1, 1, -1, 1)
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).has('model')")
    page.go_back()
    page.wait_for_function("new URLSearchParams(location.search).get('recipe') === 'copy'")
    expect(page.locator(TEACH)).to_be_visible()
    assert page.evaluate("history.length") == before


def test_a_click_after_going_back_is_a_step_again(open_page: Open) -> None:
    page = open_page(path="training", recipe="copy")
    expect(page.locator(TEACH)).to_be_visible()
    link_to(page, "explorer").click()
    view(page)
    page.go_back()
    page.wait_for_function("new URLSearchParams(location.search).get('recipe') === 'copy'")
    expect(page.locator(TEACH)).to_be_visible()
    link_to(page, "explorer").click()
    view(page)
    page.wait_for_function("new URLSearchParams(location.search).has('model')")


def test_the_server_never_names_what_the_browser_may_have_dropped(open_page: Open) -> None:
    line = Line()
    page = open_page(path="calculator", prepare=line.tap)
    view(page)
    for name, part in (
        ("cost", ".st-key-cost-sizes"),
        ("calculator", ".attnviz[data-ready=true]:not(.avp-byhand)"),
    ) * 2:
        link_to(page, name).click()
        page.locator(part).wait_for()
    kinds = [ForwardMsg.FromString(message).WhichOneof("type") for message in line.said]
    assert "delta" in kinds
    assert "ref_hash" not in kinds


def test_back_and_forth_before_the_first_answer_ends_where_the_address_is(open_page: Open) -> None:
    line = Line()
    page = open_page(model="reverse", text="a b c", prepare=line.tap)
    view(page)
    text = page.get_by_label(locale.t("en", "page.text"), exact=True)
    text.fill("d e f")
    page.get_by_role("button", name=locale.t("en", "page.run"), exact=True).click()
    page.wait_for_function("new URLSearchParams(location.search).get('text') === 'd e f'")
    before = page.evaluate("history.length")
    line.hold(page, -1, 1)
    expect(text).to_have_value("d e f")
    assert address(page)["text"] == "d e f"
    assert page.evaluate("history.length") == before
    page.go_back()
    expect(text).to_have_value("a b c")
    assert address(page)["text"] == "a b c"
