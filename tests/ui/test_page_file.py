"""Links stay within what a proxy takes; what is too long for one goes into a file, and comes back from it."""

from __future__ import annotations

import json
from urllib.parse import unquote_plus

import pytest

from attnviz.errors import FileNotPage
from attnviz.server.paths import whole
from attnviz.ui.explorer import link
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.address import LONGEST, length
from attnviz.ui.frame.page_file import from_file, to_file
from tests.ui.pages import address, messages, open_page, run

TOO_LONG = "too long for a link"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a b", 3), ("-._*", 4), ("~!'()", 15), ("é", 6), ("中", 9), ("😀", 12), ("%&+=#", 15), ("\n", 3), ("a" * 99, 99)],
)
def test_the_length_of_an_address_is_that_in_bytes(text: str, written: int) -> None:
    assert length({"text": text}) == len("text") + written + 2
    assert length({"text": text, "target": ""}) == length({"text": text}), "what is empty is not written"


@pytest.mark.parametrize("text", ["", "9" * 5000, "00000000199", "-1", "1.0", "٣", " 1", "1_0", "0", "65", "²"])
def test_what_is_no_number_of_a_link(text: str) -> None:
    assert whole(text, 1, 64) is None


def test_a_file_brings_back_what_a_page_showed() -> None:
    shown = {"model": "zoo/reverse", "text": "中" * 9000, "target": "", "image": ""}
    content = to_file("explorer", shown).encode()
    assert from_file(content, "a.json", link.ADDRESS) == shown
    more = json.dumps({**json.loads(content), "parameters": {**shown, "odd": "1"}}).encode()
    assert from_file(more, "a.json", link.ADDRESS) == shown, "names of other pages are left alone"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 100_000, "JSON: it is nested too deeply"),
        (b'{"attnviz": "calculator", "version": 1}', '"attnviz": "page"'),
        (b'{"attnviz": "page", "version": 2}', '"version": 1'),
        (to_file("training", {}).encode(), '"page": "explorer"'),
        (b'{"attnviz": "page", "version": 1, "page": "explorer"}', '"parameters"'),
        (b'{"attnviz": "page", "version": 1, "page": "explorer", "parameters": {"text": 5}}', '"parameters"'),
        (b'{"attnviz": "page", "version": 1, "page": "explorer", "page": "training"}', "twice"),
    ],
)
def test_other_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FileNotPage) as caught:
        from_file(content, "mine.json", link.ADDRESS)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("This page cannot open mine.json")


@pytest.mark.parametrize(("name", "text"), [("zoo/english", "the "), ("zoo/chinese", "小狗")])
def test_the_explorer_leaves_a_long_text_out_of_the_address_and_offers_a_file(name: str, text: str) -> None:
    page = open_page("explorer", model=name.removeprefix("zoo/"), text=text)
    assert address(page)["text"] == text
    assert TOO_LONG not in messages(page)
    page.session_state[ExplorerState.text.key] = text * LONGEST  # more than the model reads, too
    assert "text" not in address(run(page))
    assert TOO_LONG in messages(page)
    assert page.get("download_button")


def test_a_text_of_ones_own_to_train_on_is_saved_as_a_file() -> None:
    text = "一只小狗在花园里跑。" * 200
    page = open_page("training", recipe="own-text", text=text)
    assert "text" not in address(page)
    assert TOO_LONG in messages(page)
    assert page.get("download_button")
    short = open_page("training", recipe="own-text", text=text[:300])
    assert unquote_plus(address(short)["text"]) == text[:300]
    assert TOO_LONG not in messages(short)


def test_hostile_links_open_every_page() -> None:
    """Every parameter of every page as something that it cannot be: the page is there, and says what was wrong."""
    odd = ("9" * 5000, "-1", "00000000199", "NaN", "1e400", "\0", "../../etc/passwd", "a" * 3000, "{x}", "*_*", "，")
    names = {
        "explorer": ("model", "text", "layer", "head", "q", "key", "part", "image", "stack", "kind", "lock", "lang"),
        "applications": ("app", "model", "n", "head"),
        "training": ("recipe", "run", "task", "network", "d_model", "lr", "seed", "steps", "clip", "both_ways"),
        "runs": ("run",),
        "comparison": ("task", "distance", "steps", "seed", "group"),
        "calculator": ("preset", "window", "padding", "temperature", "H", "X", "section", "i", "h"),
        "mistakes": ("card",),
        "positions": ("pe", "pe_d", "pe_heads", "pe_head", "pe_table"),
        "cost": ("cost_d", "cost_t"),
        "models": ("model",),
    }
    for page, parameters in names.items():
        for value in odd:
            open_page(page, **dict.fromkeys(parameters, value))
