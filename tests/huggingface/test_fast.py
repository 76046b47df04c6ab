"""A model's own products by another route: as exact as float32, for this thread and these weights alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from attnviz.huggingface import fast
from attnviz.huggingface.fast import ROWS_WORTH_A_COPY, fast_products, lay_out
from attnviz.models.linear import best_route, is_exact

# Processors whose oneDNN would compute in bfloat16 are told to do without, as those are that the route is for.
EXACT = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}

COMPARE = """
import copy
import torch
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
from attnviz.huggingface import fast
from attnviz.models.linear import is_exact

assert is_exact("onednn")
fast.best_route = lambda: "onednn"  # whatever else this processor has
ends = dict(bos_token_id=0, eos_token_id=0)
rope = dict(num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2)
models = [
    (GPT2LMHeadModel, GPT2Config(vocab_size=211, n_embd=60, n_head=6, n_layer=2, **ends)),
    (BertForMaskedLM, BertConfig(vocab_size=211, hidden_size=60, num_attention_heads=6, num_hidden_layers=2)),
    (LlamaForCausalLM, LlamaConfig(vocab_size=211, hidden_size=60, intermediate_size=130, **rope)),
]
for length in (1, 7, 300):
    for build, config in models:
        torch.manual_seed(0)
        model = build(config).eval()
        ids = torch.randint(211, (1, length))
        with torch.inference_mode():
            wanted = copy.deepcopy(model).double()(input_ids=ids).logits
            plain = model(input_ids=ids).logits
            found = []
            for prepare in (lambda model: None, fast.lay_out):
                prepare(model)
                with fast.fast_products(model):
                    found.append(model(input_ids=ids).logits)
        allowed = 3 * (plain - wanted).abs().max() + 1e-6 * wanted.abs().max()
        for logits in found:
            assert (logits - wanted).abs().max() <= allowed, (build, length)
"""

Products = list[tuple[int, ...]]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Products:
    """The shapes of the weights (d_out, d_in) whose products took the route, on any processor."""
    shapes: Products = []

    def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        shapes.append(tuple(weight.shape))
        return nn.functional.linear(x, weight, bias)

    monkeypatch.setattr(fast, "_product", product)
    monkeypatch.setattr(fast, "best_route", lambda: "onednn")
    return shapes


def gpt2(layers: int = 1) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=53, n_embd=12, n_head=3, n_layer=layers, n_positions=512)).eval()


OF_A_LAYER = [(36, 12), (12, 12), (48, 12), (12, 48)]  # q, k and v; W_O; the feed-forward layer's two
HEAD = (53, 12)


def test_logits_are_as_exact_as_those_of_float32() -> None:
    subprocess.run([sys.executable, "-c", COMPARE], env=EXACT, check=True)


@torch.inference_mode()
def test_a_model_that_is_laid_out_takes_the_route_for_every_product(taken: Products) -> None:
    model, ids = gpt2(layers=2), torch.arange(5)[None]
    plain = model(input_ids=ids).logits
    lay_out(model)
    assert model.transformer.h[0].mlp.c_fc.weight.shape == (12, 48)
    with fast_products(model):
        torch.testing.assert_close(model(input_ids=ids).logits, plain)
    assert taken == [*OF_A_LAYER, *OF_A_LAYER, HEAD]


@torch.inference_mode()
@pytest.mark.parametrize(
    ("rows", "shapes"), [(ROWS_WORTH_A_COPY - 1, [HEAD]), (ROWS_WORTH_A_COPY, [*OF_A_LAYER, HEAD])]
)
def test_weights_are_transposed_where_that_pays(taken: Products, rows: int, shapes: Products) -> None:
    model, ids = gpt2(), torch.zeros(1, rows, dtype=torch.long)
    plain = model(input_ids=ids).logits
    with fast_products(model):
        torch.testing.assert_close(model(input_ids=ids).logits, plain)
    assert taken == shapes


@torch.inference_mode()
def test_nothing_changes_on_the_plain_route(taken: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "best_route", lambda: "plain")
    layer = Conv1D(nf=2, nx=3)
    lay_out(layer)
    assert layer.weight.is_contiguous()
    with fast_products(layer):
        layer(torch.ones(300, 3))
    assert taken == []


def test_the_route_can_be_found_out_during_inference() -> None:
    layer, x = nn.Linear(3, 2), torch.ones(5, 3)
    for cached in (is_exact, best_route):
        cached.cache_clear()
    with torch.inference_mode(), fast_products(layer):
        torch.testing.assert_close(layer(x), x @ layer.weight.T + layer.bias)


def test_the_way_back_is_torchs_own(taken: Products) -> None:
    layer, x = nn.Linear(3, 2), torch.ones(5, 3)
    with fast_products(layer):
        layer(x).sum().backward()
        assert taken == []
        layer.requires_grad_(False)
        layer(x)
    assert layer.weight.grad is not None
    assert taken == [(2, 3)], "without gradients it is free"


@torch.inference_mode()
@pytest.mark.parametrize(
    "run",
    [
        lambda layer: nn.Linear(3, 2)(torch.ones(5, 3)),  # another layer's weight
        lambda layer: layer(torch.ones(3)),
        lambda layer: layer(torch.ones(0, 3)),
        lambda layer: layer.double()(torch.ones(5, 3).double()),
        lambda layer: layer.bfloat16()(torch.ones(5, 3).bfloat16()),
        lambda layer: torch.addmm(layer.bias, torch.ones(300, 3), layer.weight.T),
        lambda layer: torch.addmm(torch.ones(300, 3), torch.ones(300, 2), layer.weight),
        lambda layer: torch.addmm(torch.ones(3), torch.ones(300, 2), layer.weight, beta=2),
    ],
    ids=["stranger", "vector", "empty", "double", "bfloat16", "view", "matrix", "beta"],
)
def test_other_products_stay_as_they_are(taken: Products, run: Callable[[nn.Linear], Tensor]) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    torch.manual_seed(1)
    wanted = run(layer)
    layer.float()
    with fast_products(layer):
        torch.manual_seed(1)
        assert torch.equal(run(layer), wanted)
    assert taken == []


@torch.inference_mode()
def test_autocast_is_left_alone(taken: Products) -> None:
    layer = nn.Linear(3, 2)
    with fast_products(layer), torch.autocast("cpu"):
        assert layer(torch.ones(5, 3)).dtype == torch.bfloat16
    assert taken == []


def test_the_route_belongs_to_its_thread(taken: Products) -> None:
    layer, x = nn.Linear(3, 2).requires_grad_(False), torch.ones(5, 3)
    with fast_products(layer):
        other = threading.Thread(target=layer, args=(x,))
        other.start()
        other.join()
        assert taken == []
        layer(x)
    assert taken == [(2, 3)]


def test_the_route_ends_with_its_block(taken: Products) -> None:
    layer, x = nn.Linear(3, 2).requires_grad_(False), torch.ones(5, 3)
    with pytest.raises(RuntimeError, match="mat"), fast_products(layer):
        layer(torch.ones(5, 4))  # one number too many
    layer(x)
    assert taken == [(2, 3)], "only the one inside"
