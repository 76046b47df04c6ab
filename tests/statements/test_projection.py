"""What is shown as X times what is shown as W_Q, W_K, W_V gives Q, K, V; the context times W_O gives the output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from torch import nn

import attnviz
from attnviz.calculator import PRESETS, solve
from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network
from attnviz.models.bundle import WEIGHTS_FILE
from attnviz.tokenizers import Tokenizer
from attnviz.trace import AttentionSite, Trace
from attnviz.view.payload import STAGES, bundle, overview
from attnviz.zoo import ORDER, zoo_path
from tests.core.test_payload import unpack

CLOSE = 1e-5
Arrays = dict[str, np.ndarray]


def header_of(trace: Trace) -> dict[str, Any]:
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    return unpack(overview(trace, choice=choice, lang="en"))[0]


def shown(trace: Trace, site: AttentionSite) -> Arrays:
    """Every matrix that the view shows of a site, by its stage; those of heads as "<head>/<stage>"."""
    arrays = unpack(bundle(trace, site.name, range(site.n_heads), STAGES))[1]
    return {path.removeprefix(f"{site.name}/"): array.astype(np.float64) for path, array in arrays.items()}


def turned(rows: np.ndarray) -> np.ndarray:
    """Each pair of dimensions as a complex number, turned by position * 10000^(-2m/d): (T, d)."""
    n, d = rows.shape
    pairs = rows[:, 0::2] + 1j * rows[:, 1::2]  # (T, d / 2)
    pairs = pairs * np.exp(1j * np.arange(n)[:, None] * 10000.0 ** (-np.arange(0, d, 2) / d))
    return np.stack([pairs.real, pairs.imag], -1).reshape(n, d)


def weights_of(prefix: str, weights: Arrays, site: AttentionSite) -> Arrays:
    """W_Q, W_K, W_V (d_model, H * d_head) and b_Q, b_K, b_V of a layer, from the file of its weights."""
    matrix, bias = weights[f"{prefix}.project_in.weight"].T, weights[f"{prefix}.project_in.bias"]
    widths = [site.n_heads * site.d_head] + [site.n_kv_heads * site.d_head] * 2
    ends = np.cumsum(widths)[:-1]
    named = zip("QKV", np.split(matrix, ends, axis=1), np.split(bias, ends), strict=True)
    return {f"{kind}_{name}": part for name, *parts in named for kind, part in zip("Wb", parts, strict=True)}


def prefix_of(site: AttentionSite) -> str:
    part = "cross_attention" if site.kind == "cross" else "attention"
    return f"{site.stack}.blocks.{site.layer}.{part}"


def check(facts: dict[str, Any], site: AttentionSite, numbers: Arrays, weights: Arrays) -> None:
    """Compute Q, K and V of every head from the shown input as the facts of the formula say."""
    projection = facts["projection"]
    memory = numbers["x_kv"] if site.kind == "cross" else numbers["x"]
    for head in range(site.n_heads):
        for name, source in (("Q", numbers["x"]), ("K", memory), ("V", memory)):
            column = head if name == "Q" else site.group(head)
            columns = slice(column * site.d_head, (column + 1) * site.d_head)
            expected = [weights[f"W_{name}"][:, columns]]
            expected += [weights[f"b_{name}"][columns][None]] if projection["bias"] else []
            weight = numbers[f"{head}/w_{name.lower()}"]
            np.testing.assert_array_equal(weight, np.concatenate(expected), err_msg="the file has other numbers")
            made = project(source, weight)
            if facts["rotary"] and name != "V":
                made = turned(made)
            error = np.abs(made - numbers[f"{head}/{name.lower()}"]).max()
            assert error < CLOSE * max(1, np.abs(made).max()), f"{site.name} head {head}: {name} is off by {error}"
        check_output(numbers, head)


def project(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(T, d_model) times (d_model, d), plus the row after that where there is one."""
    width = rows.shape[1]
    assert len(weight) in (width, width + 1)
    return rows @ weight[:width] + weight[width:].sum(0)


def check_output(numbers: Arrays, head: int) -> None:
    output = numbers[f"{head}/output"]
    error = np.abs(numbers[f"{head}/context"] @ numbers[f"{head}/w_o"] - output).max()
    assert error < CLOSE * max(1, np.abs(output).max()), f"head {head}: the output is off by {error}"


def is_normed(rows: np.ndarray, weights: Arrays, norm: str) -> bool:
    """Whether rows can come from a layer norm with those parameters: mean 0 and variance 1 before scale and shift."""
    gain, shift = weights[f"{norm}.weight"], weights[f"{norm}.bias"]
    before = (rows - shift) / gain
    return bool(np.abs(before.mean(-1)).max() < 1e-3 and np.abs(before.var(-1) - 1).max() < 1e-2)


def example(name: str) -> Trace:
    model = attnviz.load_model(f"zoo/{name}")
    given = model.card.examples[0]
    return attnviz.trace(model, *(given if isinstance(given, tuple) else (given,)))


@pytest.mark.parametrize("name", ORDER)
def test_shown_input_gives_shown_queries_keys_and_values(name: str) -> None:
    trace = example(name)
    weights = {key: array.astype(np.float64) for key, array in load_file(zoo_path(name) / WEIGHTS_FILE).items()}
    for facts, site in zip(header_of(trace)["sites"] if trace.sites else [], trace.sites, strict=True):
        numbers = shown(trace, site)
        if facts["projection"] is None:  # a state is query, key and value as it is
            assert facts["direct"] == "states"
            np.testing.assert_array_equal(numbers["0/k"], numbers["0/v"])
            assert "0/w_q" not in numbers
            if "output" in facts["stages"]:
                check_output(numbers, 0)
            continue
        assert facts["direct"] == ""
        check(facts, site, numbers, weights_of(prefix_of(site), weights, site))
        norm = prefix_of(site).replace("cross_attention", "cross_norm").replace(".attention", ".attention_norm")
        assert facts["projection"]["normed"] == is_normed(numbers["x"], weights, norm)
        if site.kind == "cross":
            assert is_normed(numbers["x_kv"], weights, "encoder.final_norm"), "M is the encoder's output"


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("positions", ["none", "rotary"])
@pytest.mark.parametrize("n_kv_heads", [4, 2])
def test_every_kind_of_layer_says_how_it_projects(norm: str, positions: str, n_kv_heads: int) -> None:
    target, source = Tokenizer("symbols", tuple("abcdefgh"), add_bos=True), Tokenizer("characters", tuple("abcdefgh "))
    sizes = {"d_model": 24, "n_heads": 4, "n_kv_heads": n_kv_heads, "n_layers": 2, "d_ff": 12, "max_len": 13}
    config = ModelConfig(
        "encoder-decoder",
        target.vocab_size,
        norm=norm,  # type: ignore[arg-type]
        positions=positions,  # type: ignore[arg-type]
        source_vocab_size=source.vocab_size,
        source_max_len=17,
        **sizes,
    )
    network = build_network(config, seed=0).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):  # with parameters that leave no number as it is
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    trace = attnviz.trace(SequenceModel(network, target, ModelCard("tiny", "Tiny"), source), "abc fed", "f e d c")
    weights = {key: tensor.double().numpy() for key, tensor in network.state_dict().items()}
    for facts, site in zip(header_of(trace)["sites"], trace.sites, strict=True):
        assert facts["projection"] == {"normed": norm == "pre", "bias": True, "qk_norm": False}
        assert facts["rotary"] == (positions == "rotary" and site.kind == "self")
        check(facts, site, shown(trace, site), weights_of(prefix_of(site), weights, site))


@pytest.mark.parametrize("name", list(PRESETS))
def test_typed_numbers_are_projected_as_they_say(name: str) -> None:
    problem, trace = PRESETS[name], solve(PRESETS[name])
    (facts,), (site,) = header_of(trace)["sites"], trace.sites
    if problem.given != "x":
        assert facts["projection"] is None
        assert {"w_q", "w_k", "w_v"}.isdisjoint(facts["stages"])
        return
    assert facts["projection"] == {"normed": False, "bias": False, "qk_norm": False}
    weights = {f"W_{letter}": np.array(problem.tables[f"w_{letter.lower()}"]) for letter in "QKV"}
    numbers = shown(trace, site)
    for head in range(site.n_heads):
        for letter in "QKV":
            weight = numbers[f"{head}/w_{letter.lower()}"]
            np.testing.assert_allclose(weight, np.split(weights[f"W_{letter}"], site.n_heads, axis=1)[head], rtol=CLOSE)
            made = project(numbers["x"], weight)
            made = turned(made) if facts["rotary"] and letter != "V" else made
            np.testing.assert_allclose(made, numbers[f"{head}/{letter.lower()}"], atol=CLOSE)
        if "w_o" in facts["stages"]:
            check_output(numbers, head)
