"""The widget of a notebook in a real browser: its module, the messages of its comm, the Python that answers them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import attnviz
from attnviz.edits import write_edits
from attnviz.view.widget import TraceWidget
from tests.browser.conftest import tabs
from tests.library.kernel import Kernel, as_json

HOST = "http://notebook.invalid/"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>notebook</title><body>
<script type="module">
const bytes = (value) => {
  if (value?.base64 === undefined) return value;
  return new DataView(Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0)).buffer);
};
const state = {}, handlers = {};
let changed = {};
const fire = (event, ...args) => (handlers[event] ?? []).forEach((handler) => handler(...args));
const hear = (messages) => {
  for (const { method, content, buffers, state: told } of messages) {
    if (method === "custom") fire("msg:custom", content, buffers.map(bytes));
    else {
      for (const [name, value] of Object.entries(told)) state[name] = bytes(value);
      for (const name of Object.keys(told)) fire(`change:${name}`);
    }
  }
};
const say = async (message) => hear(await window.toPython(JSON.stringify(message)));
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; changed[name] = value; fire(`change:${name}`); },
  save_changes: () => { const told = changed; changed = {}; say({ method: "update", state: told }); },
  send: (content) => say({ method: "custom", content }),
  on: (event, handler) => (handlers[event] ??= []).push(handler),
  off: () => {},
};
window.hear = hear;
hear(await window.toPython(JSON.stringify({ method: "open" })));
const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
const { default: widget } = await import(url);
widget.render({ model, el: document.body });
</script>"""


class Notebook:
    """A page that shows a widget as a notebook does."""

    def __init__(self, page: Page, kernel: Kernel, widget: TraceWidget) -> None:
        self.page, self.widget, self._kernel = page, widget, kernel
        page.expose_function("toPython", self._answer)
        page.route(HOST, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.goto(HOST)
        self.frame = page.frame_locator("iframe")
        self.root = self.frame.locator(".attnviz[data-ready]")

    def _answer(self, text: str) -> Any:
        message = json.loads(text)
        if message["method"] == "open":
            return as_json([{"method": "update", "state": self.widget.get_state()}])
        return as_json(self._kernel.say(self.widget, message))

    def tell(self) -> None:
        """Hand on to the browser what Python has changed meanwhile."""
        self.page.evaluate("messages => window.hear(messages)", as_json(self._kernel.heard(self.widget)))

    def hears(self, name: str, value: Any) -> None:
        """Hand on to Python what the browser has changed."""
        told = "([name, value]) => document.querySelector('iframe').attnvizModel.get(name) === value"
        self.page.wait_for_function(told, arg=[name, value])
        assert getattr(self.widget, name) == value


def test_a_notebook_and_python_share_head_lock_and_edits(
    window: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(monkeypatch)
    widget = attnviz.show(attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c"), heads=[(0, 1)])
    assert isinstance(widget, TraceWidget)
    with tabs(window, (HOST, "about:", "blob:", "data:")) as new_tab:
        shown = Notebook(new_tab(1280, 900, is_changed=True), kernel, widget)
        expect(shown.root).to_have_attribute("data-head", "1")
        expect(shown.frame.locator(".av-proof")).to_have_attribute("data-exact", "true")

        shown.frame.locator('.av-thumb[data-site="encoder.1.self"][data-head="0"]').click()
        shown.hears("site", "encoder.1.self")
        shown.hears("head", 0)
        expect(shown.root).to_have_attribute("data-loaded", "true")  # from the kernel
        shown.frame.locator(".ava-token").nth(2).click()
        shown.hears("query", 2)
        assert widget.locked
        shown.page.keyboard.press("Escape")
        shown.hears("locked", False)

        widget.site, widget.key = "encoder.0.self", 4
        shown.tell()
        expect(shown.root).to_have_attribute("data-site", "encoder.0.self")
        expect(shown.root).to_have_attribute("data-key", "4")
        expect(shown.root).to_have_attribute("data-locked", "true")

        widget.edits = "off:encoder.0.self:1"
        shown.tell()
        expect(shown.frame.get_by_role("button", name="Before", exact=True)).to_be_visible()
        expect(shown.root).to_have_attribute("data-key", "4")
        shown.frame.get_by_role("button", name="Difference").click()
        expect(shown.root).to_have_attribute("data-loaded", "true")  # the numbers of both
        widget.edits = ()
        shown.tell()
        expect(shown.frame.get_by_role("button", name="Before", exact=True)).to_have_count(0)

        shown.frame.get_by_role("button", name="What if…").click()  # the menu is in the page: nothing is fetched
        shown.frame.get_by_role("menuitem", name="Switch off (zero)").click()
        expect(shown.frame.get_by_role("button", name="Before", exact=True)).to_be_visible()
        assert write_edits(widget.edits) == "off:encoder.0.self:0"
        shown.frame.get_by_role("button", name="What if…").click()
        shown.frame.get_by_role("menuitem", name="Patch").last.click()
        shown.frame.get_by_role("textbox", name="Text B").fill("日本")
        shown.frame.get_by_role("button", name="Patch", exact=True).click()
        expect(shown.frame.get_by_role("alert")).to_contain_text("日")
        shown.frame.get_by_role("button", name="What if…").click()
        shown.frame.get_by_role("menuitem", name="Undo").click()
        expect(shown.frame.get_by_role("button", name="Before", exact=True)).to_have_count(0)
        assert widget.edits == ()

        shown.frame.get_by_role("button", name="Which heads matter?").click()
        expect(shown.frame.locator(".avw-status")).to_contain_text("Each number is what that changes without the head")
        shown.frame.get_by_role("button", name="Back to the weights").click()

        shown.frame.locator('.av-thumb[data-site="encoder.1.self"][data-head="0"]').click()
        shown.hears("site", "encoder.1.self")
        widget.query, widget.key = 0, 4
        shown.tell()
        shown.frame.locator('.av-tab[data-tab="why"]').click()
        says = shown.frame.locator(".avy-says")
        expect(says).to_contain_text("g #0 reads c #4")
        shown.frame.locator(".avy-parts .avy-open").first.click()  # the head that wrote it, at the row where it did
        expect(says).to_be_focused()
        shown.hears("site", "encoder.0.self")
        assert (widget.head, widget.query, widget.key) == (1, 0, 5)
        shown.frame.locator(".avy-walk button").click()
        shown.hears("site", "encoder.1.self")
        shown.hears("key", 4)
        shown.page.keyboard.press("Escape")
        shown.hears("locked", False)

        widget.edits = "off:encoder.0.self:1;cut:encoder.1.self:0:*:2"
        shown.tell()
        chips = shown.frame.locator(".page-chip[aria-pressed]")
        expect(chips).to_contain_text(["layer 0 · head 1: off (zero)", "layer 1 · head 0: cut key e #2"])
        chips.first.press("Enter")
        expect(chips.first).to_have_attribute("aria-pressed", "false")
        expect(chips.first).to_be_focused()
        assert write_edits(widget.edits) == "cut:encoder.1.self:0:*:2"
        shown.frame.get_by_role("button", name="Remove: Encoder self-attention · layer 1 · head 0: cut key").click()
        expect(chips).to_have_count(1)
        assert widget.edits == ()
