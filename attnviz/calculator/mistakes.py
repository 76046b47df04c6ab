"""Find the mistake: what is printed in many places, and the numbers that show why it cannot be right.

Every number, shape and exception text is computed when the card is opened; code that fails is run, and shown as it is.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from attnviz.attention import Mask, additive_scores, attend, context, dot_product_scores, scaled_scores, softmax_weights
from attnviz.calculator.presets import FIVE, PRESETS, PRODUCTS, TEN
from attnviz.calculator.solve import solve, stages

__all__ = ["MISTAKES", "Finding", "Mistake"]


@dataclass(frozen=True)
class Finding:
    """One piece of evidence.

    Attributes:
        key: what it is about; the page's message `calculator.found.<key>` says it in words.
        latex: numbers, as a formula; "" for none.
        code: code that runs; "" for none.
        error: what running it raised; "" for none.
        values: values that fill the message.
    """

    key: str
    latex: str = ""
    code: str = ""
    error: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A card.

    Attributes:
        printed: the wrong version, LaTeX or code.
        is_code: whether it is code.
        find: computes the evidence, the right version last.
        right: the right answer to the card's question: a number, or the name of an option.
        options: names of the answers to choose from, `calculator.mistake.<card>.option.<name>`; () for a number.
        preset: preset of the calculator, where the right version can be changed; "" for none.
    """

    printed: str
    find: Callable[[], tuple[Finding, ...]]
    right: str | int
    options: tuple[str, ...] = ()
    is_code: bool = False
    preset: str = ""


def _row(values: Tensor, digits: int = 4) -> str:
    return "(" + ",\\; ".join(f"{value:.{digits}f}" for value in values.flatten().tolist()) + ")"


def _matrix(rows: Tensor, digits: int = 4) -> str:
    lines = [" & ".join(f"{value:.{digits}f}" for value in row) for row in rows.tolist()]
    return "\\begin{pmatrix}" + " \\\\ ".join(lines) + "\\end{pmatrix}"


def _shape(tensor: Tensor) -> str:
    return " \\times ".join(map(str, tensor.shape))


def _source(thing: Callable[..., object]) -> str:
    return textwrap.dedent(inspect.getsource(thing)).strip()


def _raised(run: Callable[[], object]) -> str:
    """Run something that fails, and return its error."""
    try:
        run()
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"{run.__name__} was to fail")


def _diagonal() -> tuple[Finding, ...]:
    x = torch.eye(3)
    scores = dot_product_scores(x, x)
    weights = softmax_weights(scores)
    down = softmax_weights(scores.diagonal()[None])[0]
    return (
        Finding("diagonal.printed", f"\\mathrm{{softmax}}(s_{{11}}, s_{{22}}, s_{{33}}) = {_row(down)}"),
        Finding("diagonal.scores", f"X X^\\top = {_matrix(scores, 0)}"),
        Finding("diagonal.right", f"\\mathrm{{softmax}}(s_{{11}}, s_{{12}}, s_{{13}}) = {_row(weights[0])}"),
    )


def _positions() -> tuple[Finding, ...]:
    q, k, x = torch.tensor(FIVE), torch.tensor(FIVE[::-1]), torch.arange(1.0, 6.0)
    weights = softmax_weights((q * k)[None])[0]
    weighted = weights * x
    outer = dot_product_scores(q[:, None], k[:, None])
    right, true = attend(q[:, None], k[:, None], q[:, None])
    pools = {"sum": weighted.sum(), "mean": weighted.mean(), "max": weighted.max()}
    return (
        Finding("positions.printed", f"q \\odot k = {_row(q * k, 2)}"),
        Finding("positions.weights", f"\\mathrm{{softmax}} = {_row(weights)}"),
        Finding(
            "positions.weighted",
            f"w \\odot x = {_row(weighted)}",
            values={name: f"{value:.4f}" for name, value in pools.items()},
        ),
        Finding("positions.scores", f"q\\,k^\\top = {_matrix(outer, 2)}"),
        Finding("positions.right", f"w_1 = {_row(true[0])}, \\quad w_5 = {_row(true[-1])}"),
        Finding("positions.context", f"c = {_row(right)}"),
    )


def _after() -> tuple[Finding, ...]:
    products = torch.tensor(PRODUCTS)
    weights = softmax_weights(products[None])[0]
    late = weights / 5**0.5
    printed = torch.tensor([0.2, 0.16, 0.18, 0.16, 0.2])
    early = softmax_weights(scaled_scores(products[None], 5**-0.5))[0]
    return (
        Finding("after.printed", f"w / \\sqrt{{5}} = {_row(late)}, \\quad \\textstyle\\sum = {late.sum():.3f}"),
        Finding("after.numbers", f"\\textstyle\\sum {_row(printed, 2)} = {printed.sum():.2f}"),
        Finding("after.product", f"5 \\cdot 0.2 = {5 * 0.2:.1f} \\neq 0.8"),
        Finding(
            "after.right",
            f"\\mathrm{{softmax}}(s / \\sqrt{{5}}) = {_row(early)}, \\quad \\textstyle\\sum = {early.sum():.3f}",
        ),
    )


def _rows() -> tuple[Finding, ...]:
    x = torch.tensor(TEN)
    weights = softmax_weights(scaled_scores(x, 3**-0.5))
    sums = weights.sum(-1)
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 10_000, 64, generator=generator)
    spread = (q * k).sum(-1).std()
    return (
        Finding("rows.shape", f"X:\\; {_shape(x)}, \\qquad X X^\\top:\\; {_shape(dot_product_scores(x, x))}"),
        Finding(
            "rows.sums",
            f"w_1 = {_row(weights[0])}, \\quad w_9 = {_row(weights[8])}, \\quad "
            f"\\textstyle\\sum_j w_{{ij}}: {sums.min():.4f} \\dots {sums.max():.4f}",
        ),
        Finding(
            "rows.right",
            f"\\mathrm{{std}}(q \\cdot k) = {spread:.2f}, \\quad "
            f"\\sqrt{{64}} = {64**0.5:.0f}, \\quad \\sqrt{{8}} = {8**0.5:.2f}",
        ),
    )


def _values() -> tuple[Finding, ...]:
    preset = PRESETS["self"]
    found = stages(solve(preset))
    weights, w_v = found["weights"][0], torch.tensor(preset.tables["w_v"])
    return (
        Finding(
            "values.shapes",
            f"\\mathrm{{softmax}}(\\cdot):\\; {_shape(weights)}, \\qquad W_V:\\; {_shape(w_v)}",
            error=_raised(lambda: weights @ w_v),
        ),
        Finding(
            "values.right", f"V = X W_V = {_matrix(found['v'][0], 2)}, \\quad C = W V = {_matrix(found['context'][0])}"
        ),
    )


def _additive() -> tuple[Finding, ...]:
    preset = PRESETS["self"]
    found = stages(solve(preset))
    q, k, v = (found[name][0] for name in "qkv")
    example = PRESETS["additive"]
    x = torch.tensor(example.tables["x"])
    a_q, a_k, a_v = (torch.tensor(example.tables[name]) for name in ("a_q", "a_k", "a_v"))
    scores = additive_scores(x, x, a_q, a_k, a_v[0])
    return (
        Finding(
            "additive.shapes", f"Q:\\; {_shape(q)}, \\qquad K V:\\; {_shape(k @ v)}", error=_raised(lambda: q + k @ v)
        ),
        Finding(
            "additive.order",
            f"\\max |\\Delta\\, \\mathrm{{softmax}}(Q + K V)| = {_moved(_as_printed):.4f}, \\quad "
            f"\\max |\\Delta\\, \\text{{context}}| = {_moved(lambda q, k, v: attend(q, k, v)[0]):.4f}",
        ),
        Finding("additive.right", f"s_{{ij}} = w_v^\\top \\tanh(W_q q_i + W_k k_j) = {_matrix(scores)}"),
    )


def _as_printed(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.softmax(q + k @ v, dim=-1)


def _moved(read: Callable[[Tensor, Tensor, Tensor], Tensor]) -> float:
    """Return the largest change in the contexts of four queries when keys and values change places together."""
    x = torch.tensor(PRESETS["multi-head"].tables["x"])
    order = [2, 0, 3, 1]
    return float((read(x, x, x) - read(x, x[order], x[order])).abs().max())


def _residual() -> tuple[Finding, ...]:
    preset = PRESETS["multi-head"]
    found = stages(solve(preset))
    x, w_o = found["x"], torch.tensor(preset.tables["w_o"])
    heads = found["context"].transpose(0, 1).flatten(1)  # (T, H * d_v)
    nothing = torch.zeros_like(w_o)
    return (
        Finding("residual.printed", f"\\big((X + H) W_O\\big)_1 = {_row(((x + heads) @ w_o)[0])}"),
        Finding("residual.zero", f"W_O = 0: \\quad \\big((X + H) W_O\\big)_1 = {_row(((x + heads) @ nothing)[0], 0)}"),
        Finding("residual.right", f"W_O = 0: \\quad (X + H W_O)_1 = {_row((x + heads @ nothing)[0], 0)} = x_1"),
        Finding("residual.numbers", f"(X + H W_O)_1 = {_row(found['result'][0])}"),
    )


def _sequence() -> tuple[Finding, ...]:
    found = stages(solve(PRESETS["five-positions"]))
    weights, v = found["weights"][0], found["v"][0]
    weighted = weights[0][:, None] * v  # (5, 1)
    order = [4, 2, 0, 1, 3]
    again = weighted[order]
    return (
        Finding("sequence.shape", f"[w_1 x_1, \\dots, w_5 x_5] = {_row(weighted)}"),
        Finding("sequence.order", f"{_row(again)}, \\quad \\textstyle\\sum = {again.sum():.4f}"),
        Finding("sequence.right", f"c = \\textstyle\\sum_j w_j x_j = {context(weights, v).item():.4f}"),
    )


def reshape_without_heads() -> Tensor:
    x = torch.zeros(10, 32, 512)  # time, batch, width
    return x.reshape(10, 32, 64)  # 8 heads of width 64


def reshape_with_heads() -> Tensor:
    x = torch.zeros(10, 32, 512)  # time, batch, width
    return x.reshape(10, 32, 8, 64).permute(1, 2, 0, 3)  # batch, heads, time, width of a head


def _heads() -> tuple[Finding, ...]:
    return (
        Finding("heads.error", error=_raised(reshape_without_heads)),
        Finding(
            "heads.count", f"10 \\cdot 32 \\cdot 512 = {10 * 32 * 512}, \\quad 10 \\cdot 32 \\cdot 64 = {10 * 32 * 64}"
        ),
        Finding("heads.right", _shape(reshape_with_heads()), code=_source(reshape_with_heads)),
    )


def add_state_without_time() -> Tensor:
    state = torch.zeros(32, 64)  # batch, width
    inputs = torch.zeros(32, 10, 64)  # batch, time, width
    return torch.tanh(state + inputs)


def add_state_with_time() -> Tensor:
    state = torch.zeros(32, 64)  # batch, width
    inputs = torch.zeros(32, 10, 64)  # batch, time, width
    return torch.tanh(state[:, None] + inputs)  # (32, 1, 64) + (32, 10, 64)


def _state() -> tuple[Finding, ...]:
    return (
        Finding("state.error", error=_raised(add_state_without_time)),
        Finding("state.right", _shape(add_state_with_time()), code=_source(add_state_with_time)),
    )


class SelfAttentionModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.lstm_1 = nn.LSTM(8, 8, batch_first=True)
        self.lstm_2 = nn.LSTM(8, 8, batch_first=True)
        self.dense = nn.Linear(8, 20)

    def forward(self, tokens: Tensor) -> Any:
        x = self.embedding(tokens)
        x, _ = self.lstm_1(x)
        x, _ = self.lstm_2(x)
        return self.dense(x)


class _Calls(TorchFunctionMode):
    """Counts the functions of torch that are called, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        self.count[name] = self.count.get(name, 0) + 1
        return func(*args, **(kwargs or {}))

    @property
    def attention(self) -> int:
        """Calls that turn scores into weights."""
        return sum(self.count.get(name, 0) for name in ("softmax", "scaled_dot_product_attention"))


@torch.inference_mode()
def _lstm() -> tuple[Finding, ...]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SelfAttentionModel().eval()
    tokens = torch.arange(5)[None]
    later = torch.tensor([[0, 1, 2, 3, 9]])  # another last token
    with _Calls() as calls:
        before = model(tokens)
    change = float((model(later) - before)[0, 0].abs().max())
    first, second = model.embedding(tokens), model.embedding(later)
    with _Calls() as true_calls:
        attended, _ = attend(first, first, first)
    moved = float((attend(second, second, second)[0] - attended)[0, 0].abs().max())
    modules = ", ".join(type(module).__name__ for module in model.children())
    masked, unread = (attend(x, x, x, Mask(causal=True))[0][0, 0] for x in (first, second))
    hidden = float((unread - masked).abs().max())
    latex = f"\\max |\\Delta y_1| = {change:.4f}, \\quad \\max |\\Delta c_1^{{\\text{{causal}}}}| = {hidden:.4f}"
    return (
        Finding("lstm.modules", code=modules, values={"calls": str(calls.attention), "lstm": str(calls.count["lstm"])}),
        Finding("lstm.change", latex),
        Finding("lstm.right", f"\\max |\\Delta c_1| = {moved:.4f}", values={"calls": str(true_calls.attention)}),
    )


MISTAKES: Mapping[str, Mistake] = {
    "diagonal": Mistake(
        "w_{11} = \\frac{e^{s_{11}}}{e^{s_{11}} + e^{s_{22}} + e^{s_{33}}} = \\frac{1}{3}",
        _diagonal,
        "row",
        ("diagonal", "row", "all"),
        preset="one-hot",
    ),
    "positions": Mistake(
        "w = \\mathrm{softmax}(q_1 k_1, q_2 k_2, \\dots, q_5 k_5)",
        _positions,
        "all",
        ("own", "all", "others"),
        preset="five",
    ),
    "after": Mistake(
        "w = \\frac{\\mathrm{softmax}(s)}{\\sqrt{d_k}} = (0.2,\\; 0.16,\\; 0.18,\\; 0.16,\\; 0.2), "
        "\\quad 5 \\cdot 0.2 = 0.8",
        _after,
        1,
        preset="five-positions",
    ),
    "rows": Mistake(
        "Q K^\\top = \\begin{pmatrix} 0.5 & 0.3 & 0.2 \\\\ 0.2 & 0.7 & 0.1 \\\\ \\vdots & \\vdots & \\vdots \\\\ "
        "0.3 & 0.6 & 0.1 \\end{pmatrix} \\in \\mathbb{R}^{10 \\times 3}, \\quad "
        "w = \\mathrm{softmax}\\!\\left(\\frac{Q K^\\top}{\\sqrt{\\text{heads}}}\\right)",
        _rows,
        100,
        preset="ten",
    ),
    "values": Mistake(
        "\\mathrm{softmax}\\!\\left(\\frac{Q K^\\top}{\\sqrt{d_k}}\\right) W^V",
        _values,
        "v",
        ("w", "v", "both"),
        preset="self",
    ),
    "additive": Mistake("\\mathrm{softmax}(Q + K V)", _additive, 1, preset="additive"),
    "residual": Mistake(
        "\\big(X + \\mathrm{Concat}(\\text{head}_1, \\text{head}_2)\\big)\\, W_O",
        _residual,
        "x",
        ("nothing", "x", "half"),
        preset="multi-head",
    ),
    "sequence": Mistake(
        "\\text{Attention}(x) = [w_1 x_1,\\; w_2 x_2,\\; \\dots,\\; w_n x_n]", _sequence, 1, preset="five-positions"
    ),
    "heads": Mistake(_source(reshape_without_heads), _heads, 10 * 32 * 512, is_code=True),
    "state": Mistake(_source(add_state_without_time), _state, "last", ("first", "last", "equal"), is_code=True),
    "lstm": Mistake(_source(SelfAttentionModel), _lstm, "none", ("embedding", "lstm", "dense", "none"), is_code=True),
}
"""The cards by name."""
