"""The cards prove what they say: every number in them is computed, and the code that fails fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from attnviz import locale
from attnviz.calculator import PRESETS, solve
from attnviz.calculator.latex import number, steps, vector
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


def test_formulas_name_what_their_numbers_are() -> None:
    """With positions added, x + p goes through the weights; with rotary ones, turned q and k make the score."""

    def lines(preset: str, positions: str) -> dict[str, str]:
        changed = replace(PRESETS[preset], positions=positions)
        return {step.name: "\n".join(step.lines) for step in steps(solve(changed), 0, 1, 2)}

    added = lines("decoder", "sinusoidal")
    assert all(f"(x_{{{i}}} + p_{{{i}}}) W_{name}" in added["project"] for name, i in (("Q", 2), ("K", 3), ("V", 3)))
    turned = lines("decoder", "rotary")
    assert "x_{2} W_Q" in turned["project"]
    assert "R_{1} \\textcolor{#0072B2}{q_{2}}) \\cdot (R_{2} \\textcolor{#D55E00}{k_{3}})" in turned["scores"]
    assert "x_{2} W_Q" in lines("decoder", "none")["project"]


def test_the_right_versions_run() -> None:
    assert reshape_with_heads().shape == (32, 8, 10, 64)
    assert add_state_with_time().shape == (32, 10, 64)
    assert SelfAttentionModel()(torch.arange(5)[None]).shape == (1, 5, 20)


@pytest.mark.parametrize("name", PRESETS)
def test_formulas_say_what_was_computed(name: str) -> None:
    """The last number of the scores, the scaled score and the weight are those of the trace."""
    trace = solve(PRESETS[name])
    (site,) = trace.sites
    for head in range(site.n_heads):
        query, key = site.q.shape[1] - 1, site.k.shape[1] - 1
        chain = site.chain(head)
        lines = {step.name: step.lines for step in steps(trace, head, query, key)}
        assert lines["scores"][-1].endswith(f"= {number(float(chain.scores[query, key]))}")
        assert lines["scale"][-1].endswith(f"= {number(float(chain.scaled[query, key]))}")
        assert lines["softmax"][0].endswith(f"= {number(float(chain.weights[query, key]))}")
        assert lines["context"][0].endswith(vector(chain.context[query].tolist()))
        for step in lines:
            for lang in locale.LANGUAGES:
                assert locale.has(lang, f"calculator.step.{step}")
                assert locale.has(lang, f"calculator.step.{step}.about")


def test_long_vectors_are_cut() -> None:
    assert vector([1, 2, 3, 4, 5, 6]) == "\\begin{pmatrix}1 & 2 & 3 & \\cdots & 6\\end{pmatrix}"


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
