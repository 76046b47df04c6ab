"""The cards prove what they say: every number in them is computed, and the code that fails fails."""

from __future__ import annotations

import pytest
import torch

from attnviz import locale
from attnviz.calculator import PRESETS
from attnviz.calculator.mistakes import MISTAKES, SelfAttentionModel, add_state_with_time, reshape_with_heads
from attnviz.calculator.tables import Sizes, cells_of, fitted, sizes_of


def text(name: str) -> str:
    found = MISTAKES[name].find()
    return "\n".join(f"{f.latex} {f.code} {f.error} {dict(f.values)}" for f in found)


@pytest.mark.parametrize("name", MISTAKES)
def test_every_card_has_its_words_in_both_languages(name: str) -> None:
    for lang in locale.LANGUAGES:
        for part in ("", ".title", ".printed", ".ask"):
            assert locale.has(lang, f"calculator.mistake.{name}{part}")
        for finding in MISTAKES[name].find():
            said = locale.t(lang, f"calculator.found.{finding.key}", **finding.values)
            assert said
        for option in MISTAKES[name].options:
            assert locale.has(lang, f"calculator.mistake.{name}.option.{option}")
    assert MISTAKES[name].options == () or MISTAKES[name].right in MISTAKES[name].options
    assert MISTAKES[name].preset in {"", *PRESETS}


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("diagonal", ["0.3333", "0.5761,\\; 0.2119,\\; 0.2119"]),
        ("positions", ["0.05,\\; 0.08,\\; 0.09", "0.1960,\\; 0.2020,\\; 0.2040"]),
        ("positions", ["0.1960,\\; 0.4040,\\; 0.6120,\\; 0.8079,\\; 0.9801"]),
        ("positions", ["3.0000", "0.6000", "0.9801", "0.2040,\\; 0.2020,\\; 0.2000", "0.2205,\\; 0.2097"]),
        ("positions", ["0.2980,\\; 0.2960,\\; 0.2940,\\; 0.2920,\\; 0.2900"]),
        ("after", ["= 0.447", "= 0.90", "= 1.0 \\neq 0.8", "= 1.000"]),
        ("rows", ["10 \\times 10", "0.3660,\\; 0.3261,\\; 0.3078", "0.3375,\\; 0.2838,\\; 0.3788", "1.0000"]),
        ("values", ["mat1 and mat2 shapes cannot be multiplied (3x3 and 4x2)"]),
        ("additive", ["must match the size of tensor b", "\\text{context}| = 0.0000"]),
        ("residual", ["(0,\\; 0,\\; 0,\\; 0)", "= x_1"]),
        ("sequence", ["3.0000", "0.1960,\\; 0.4040"]),
        ("heads", ["shape '[10, 32, 64]' is invalid for input of size 163840"]),
        ("state", ["The size of tensor a (32) must match the size of tensor b (10)"]),
        ("lstm", ["Embedding, LSTM, LSTM, Linear", "'calls': '0', 'lstm': '2'", "\\Delta y_1| = 0.0000"]),
        ("lstm", ["\\text{causal}}| = 0.0000", "\\Delta c_1| = 0.08"]),
    ],
)  # fmt: skip
def test_the_numbers_that_prove_it(name: str, numbers: list[str]) -> None:
    for each in numbers:
        assert each in text(name)


def test_the_right_versions_run() -> None:
    assert reshape_with_heads().shape == (32, 8, 10, 64)
    assert add_state_with_time().shape == (32, 10, 64)
    assert SelfAttentionModel()(torch.arange(5)[None]).shape == (1, 5, 20)


def test_tables_follow_a_pasted_one() -> None:
    tables = {name: cells_of(matrix) for name, matrix in PRESETS["self"].tables.items()}
    tables["w_q"] = (("1",) * 5,) * 6  # d_model 6, d_k 5
    sizes = sizes_of(tables, "x", 1, first="w_q")
    assert (sizes.queries, sizes.d_model, sizes.d_k, sizes.d_v) == (3, 6, 5, 2)
    fit = fitted(tables, sizes, ["x", "w_q", "w_k", "w_v"])
    assert {name: (len(cells), len(cells[0])) for name, cells in fit.items()} == {
        "x": (3, 6), "w_q": (6, 5), "w_k": (6, 5), "w_v": (6, 2),
    }  # fmt: skip
    assert fit["x"][0] == ("1", "0.5", "0", "-0.5", "0", "0")


def test_sizes_stay_within_the_limit() -> None:
    sizes = Sizes(queries=500, keys=1, d_model=80, heads=9, d_k=60, d_v=1, d_att=3, d_out=0).within()
    assert all(max(shape) <= 64 and min(shape) >= 1 for shape in sizes.shapes().values())
