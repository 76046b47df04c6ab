"""The Calculator page as the server builds it."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.calculator import PRESETS, program
from attnviz.calculator.link import from_link
from attnviz.calculator.problem import CHOICES
from tests.ui.pages import address, click, messages, open_page, run, turn_to

numbers = itertools.count(1)
ONE_HOT = [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]]


def tables(page: AppTest) -> dict[str, dict[str, Any]]:
    """All tables on the page, by title."""
    found = {}
    for element in page.main:
        data = json.loads(getattr(getattr(element, "proto", None), "json", "") or "null")
        if isinstance(data, dict) and "tables" in data:
            found |= {table["title"]: table for table in data["tables"]}
    return found


def cells(page: AppTest, title: str) -> list[list[str]]:
    found: list[list[str]] = tables(page)[title]["cells"]
    return found


def payloads(page: AppTest) -> list[tuple[dict[str, Any], bytes]]:
    """Header and data section of all that was packed for the browser."""
    found = []
    for element in page.main:
        payload = getattr(getattr(element, "proto", None), "bytes", b"")
        if payload[:4] == b"AVZ1":
            end = 8 + int.from_bytes(payload[4:8], "little")
            found.append((json.loads(payload[8:end]), payload[end + -end % 8 :]))
    return found


def site(page: AppTest) -> dict[str, Any] | None:
    """Return what the view was told of the layer; None when there is no picture."""
    return next((dict(header["sites"][0]) for header, _ in payloads(page) if "sites" in header), None)


def formulas(page: AppTest) -> dict[str, Any]:
    """Return what the formulas are made of."""
    return next(header for header, _ in payloads(page) if "steps" in header)


def numbers_of(page: AppTest, name: str) -> list[list[float]]:
    """The numbers of a table or a stage in the formulas."""
    header, data = next((header, data) for header, data in payloads(page) if "steps" in header)
    array = header["arrays"][name]
    rows, columns = array["shape"]
    found: list[list[float]] = (
        np.frombuffer(data, np.float32, rows * columns, array["offset"]).reshape(rows, columns).tolist()
    )
    return found


def tell(page: AppTest, name: str, **edit: Any) -> AppTest:
    """Type, paste or hand in, as the tables report it."""
    page.session_state["tables"] = {"edits": [{"sequence": next(numbers), "name": name, **edit}]}
    return run(page)


def choose(page: AppTest, kind: str, key: str, value: Any) -> AppTest:
    getattr(page, kind)(key=key).set_value(value)
    return run(page)


def test_the_first_visit_shows_one_hot_tokens() -> None:
    page = open_page("calculator")
    assert cells(page, "X") == ONE_HOT
    assert address(page) == {"lang": "en"}
    assert not page.warning
    assert list(formulas(page)["steps"]) == ["input"]
    assert numbers_of(page, "x")[0] == [1, 0, 0]
    shown = site(page)
    assert shown is not None
    assert (shown["scoring"], shown["scale"], shown["n_heads"]) == ("dot", 1.0, 1)
    assert cells(page, "Result")[0] == ["0.576", "0.212", "0.212"]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_opens(name: str, lang: str) -> None:
    page = open_page("calculator", preset=name, step="all", lang=lang)
    assert not page.warning
    assert site(page) is not None
    assert page.selectbox(key="calc-preset").value == name
    assert locale.t(lang, f"calculator.about.{name}") in messages(page)
    assert page.code[0].value == program(PRESETS[name]).rstrip()


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_every_step_has_its_words(lang: str) -> None:
    page = open_page("calculator", preset="decoder", positions="rotary", pooling="mean", step="all", lang=lang)
    steps = formulas(page)["steps"]
    assert list(steps) == [
        *("input", "project", "rotate", "scores", "scale", "mask"),
        *("softmax", "context", "output", "residual", "pool"),
    ]
    assert all(steps.values())
    assert numbers_of(page, "pooled")[0] == pytest.approx(np.mean(numbers_of(page, "result"), axis=0))


def test_a_preset_is_chosen_changed_and_reset() -> None:
    page = choose(open_page("calculator"), "selectbox", "calc-preset", "five")
    assert address(page) == {"preset": "five", "lang": "en"}
    assert cells(page, "Q")[0] == ["0.1"]
    page = tell(page, "q", row=0, column=0, value="0.7")
    assert address(page)["Q"].startswith("0.7*0.2")
    assert locale.t("en", "calculator.changed") in messages(page)
    page = click(page, "reset")
    assert address(page) == {"preset": "five", "lang": "en"}
    assert page.button(key="reset").disabled


def test_a_cell_is_typed_and_everything_follows() -> None:
    page = tell(open_page("calculator"), "x", row=0, column=0, value="3")
    assert cells(page, "X")[0] == ["3", "0", "0"]
    assert numbers_of(page, "table/x")[0] == numbers_of(page, "x")[0] == [3, 0, 0]
    assert from_link(address(page)).problem.tables["x"][0] == (3.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("value", "said"),
    [("abc", "`abc` is not a number"), ("", "is not a number"), ("nan", "not a finite"), ("1e9", "1,000,000")],
)
def test_a_cell_that_is_no_number_is_marked_and_the_last_picture_stays(value: str, said: str) -> None:
    page = tell(open_page("calculator"), "w_k", row=1, column=2, value=value)
    assert "`W_K`, row 2, column 3" in page.warning[0].value
    assert said in page.warning[0].value
    assert tables(page)["W_K"]["problem"] == {"row": 1, "column": 2}
    assert site(page) is not None
    page = tell(page, "w_k", row=1, column=2, value="0")
    assert not page.warning
    assert tables(page)["W_K"]["problem"] is None


def test_a_pasted_table_that_does_not_fit_says_both_shapes_and_the_others_can_follow() -> None:
    page = tell(open_page("calculator"), "x", text="np.array([[1, 2], [3, 4], [5, 6], [7, 8]])")
    assert "`X` is `4 × 2` and `W_Q` is `3 × 3`" in page.warning[0].value
    page = click(page, "fit")
    assert not page.warning
    assert [len(cells(page, title)) for title in ("X", "W_Q", "W_K", "W_V")] == [4, 2, 2, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n3", "row 2"),
        ("", "is empty"),
        ("[[1, 2", "is not a table"),
        ("1,2\n3,x", "row 2, column 2"),
        (",".join("1" * 65), "1 × 65"),
    ],
)
def test_a_paste_that_cannot_be_read_changes_nothing(text: str, said: str) -> None:
    page = tell(open_page("calculator"), "w_q", text=text)
    assert said in page.warning[0].value
    assert "`W_Q`" in page.warning[0].value
    assert cells(page, "W_Q") == ONE_HOT
    assert not run(page).warning


def test_a_csv_file_and_one_in_another_encoding() -> None:
    page = tell(open_page("calculator"), "x", file="x.csv", bytes=base64.b64encode(b"2,0,0\n0,2,0\n0,0,2").decode())
    assert cells(page, "X")[1] == ["0", "2", "0"]
    page = tell(page, "x", file="bad.csv", bytes=base64.b64encode("ü,1".encode("utf-16")).decode())
    assert "`bad.csv`" in page.warning[0].value
    assert "UTF-8" in page.warning[0].value


def test_sizes_and_heads_resize_the_tables() -> None:
    page = choose(open_page("calculator"), "number_input", "calc-queries", 5)
    assert len(cells(page, "X")) == 5
    page = choose(page, "number_input", "calc-d_model", 4)
    assert (len(cells(page, "X")[0]), len(cells(page, "W_V"))) == (4, 4)
    page = choose(page, "number_input", "calc-d_k", 2)
    assert len(cells(page, "W_Q")[0]) == 2
    page = choose(page, "number_input", "calc-heads", 2)
    assert not page.warning
    shown = site(page)
    assert shown is not None
    assert (shown["n_heads"], shown["d_head"]) == (2, 1)


def test_every_choice_reaches_the_layer() -> None:
    page = open_page("calculator", preset="multi-head")
    page = choose(page, "segmented_control", "calc-scoring", "additive")
    assert {"W_q", "W_k", "w_v"} <= tables(page).keys()
    page = choose(page, "segmented_control", "calc-mask", ["causal", "window", "padding"])
    page = choose(page, "multiselect", "calc-padding", [2])
    page = choose(page, "number_input", "calc-scale", 0.5)
    page = choose(page, "number_input", "calc-temperature", 2.0)
    page = choose(page, "selectbox", "calc-positions", "rotary")
    page = choose(page, "segmented_control", "calc-pooling", "mean")
    shown = site(page)
    assert shown is not None
    assert (shown["scoring"], shown["scale"], shown["rotary"]) == ("additive", 0.25, True)
    assert (shown["causal"], shown["window"], shown["padding"]) == (True, 2, True)
    problem = from_link(address(page)).problem
    assert (problem.pooling, problem.padding, problem.window) == ("mean", (1,), 2)
    page = choose(page, "selectbox", "calc-positions", "learned")
    assert "P" in tables(page)


def test_a_residual_brings_what_it_needs() -> None:
    page = open_page("calculator", preset="self")  # values of width 2, X of width 4
    page.toggle(key="calc-residual").set_value(True)
    page = run(page)
    assert not page.warning
    assert page.toggle(key="calc-project").value
    assert len(cells(page, "W_O")[0]) == 4


def test_typed_queries_begin_as_those_of_x_and_back() -> None:
    page = open_page("calculator", preset="self")
    before = cells(page, "Result")
    page = choose(page, "segmented_control", "calc-given", "qkv")
    assert cells(page, "Result") == before
    assert page.toggle(key="calc-residual").disabled
    page = choose(tell(page, "q", row=0, column=0, value="9"), "segmented_control", "calc-given", "x")
    assert cells(page, "W_Q")[0][0] == "9"
    assert not page.warning


def test_an_odd_width_has_no_rotary_positions() -> None:
    page = choose(open_page("calculator"), "selectbox", "calc-positions", "rotary")
    assert "`d_k` must be even, not 3" in page.warning[0].value


def test_random_numbers_fill_every_table() -> None:
    page = click(open_page("calculator"), "random")
    assert cells(page, "X") != ONE_HOT
    assert {"X", "W_Q", "W_K", "W_V"} <= address(page).keys()


def test_one_key_is_explained() -> None:
    page = choose(open_page("calculator"), "number_input", "calc-queries", 1)
    assert locale.t("en", "calculator.one_key") in messages(page)


def test_the_address_brings_everything_back() -> None:
    link = {
        "preset": "multi-head", "X": "1_2_3_4*5_6_7_8", "window": "3", "times": "0.25", "temperature": "2",
        "pooling": "max", "step": "softmax", "i": "2", "j": "2", "h": "2", "lang": "zh",
    }  # fmt: skip
    page = open_page("calculator", **link)
    assert address(page) == link
    assert page.segmented_control(key="calc-step").value == "softmax"
    told = formulas(page)
    assert (list(told["steps"]), told["query"], told["key"], told["head"]) == (["softmax"], 1, 1, 1)


def test_what_a_link_names_and_does_not_exist_falls_back() -> None:
    page = open_page("calculator", preset="nothing", H="x", i="99", step="sleep")
    assert "`preset`, `H`" in page.warning[0].value
    assert cells(page, "X") == ONE_HOT
    assert address(page) == {"i": "3", "lang": "en"}
    page = open_page("calculator", X="1_2*3")
    assert "`X`, row 2" in page.warning[0].value
    assert cells(page, "X") == ONE_HOT


def test_tables_too_large_for_an_address_are_saved_as_a_file() -> None:
    page = tell(open_page("calculator"), "x", text="\n".join(",".join("0.123" for _ in range(40)) for _ in range(40)))
    page = click(page, "fit")
    assert locale.t("en", "calculator.too_long") in messages(page)
    assert address(page) == {"lang": "en"}


def test_tokens_can_be_named() -> None:
    page = open_page("calculator", tokens="the cat <b>")
    assert tables(page)["X"]["rows"] == ["the", "cat", "<b>"]
    assert tables(page)["Result"]["rows"] == ["the", "cat", "<b>"]
    page.text_input(key="calc-tokens").set_value("the cat")
    page = run(page)
    assert tables(page)["X"]["rows"] == ["the", "cat", "x3"]
    assert address(page)["tokens"] == "the+cat" or address(page)["tokens"] == "the cat"


def test_scorings_stand_beside_each_other() -> None:
    title = locale.t("en", "calculator.result.scorings", query=1)
    scorings = tables(open_page("calculator"))[title]
    assert scorings["rows"] == [locale.t("en", f"calculator.scoring.{name}") for name in CHOICES["scoring"]]
    assert [row[0] for row in scorings["cells"]] == ["0.576", "0.471", "0.222"]


def test_markup_in_a_cell_is_shown_literally() -> None:
    page = tell(open_page("calculator"), "x", row=0, column=0, value="<b>*x*</b>")
    assert "`<b>*x*</b>`" in page.warning[0].value


def test_leaving_the_page_keeps_what_was_typed() -> None:
    page = tell(open_page("calculator", preset="self"), "x", row=0, column=0, value="8")
    page = turn_to(page, "runs")
    page.query_params.clear()
    page = turn_to(page, "calculator")
    assert cells(page, "X")[0][0] == "8"
    assert page.selectbox(key="calc-preset").value == "self"
