"""Count what networks cost by their sizes: parameters, operations, bytes; of one layer, and of a training step.

Shape legend
    T  tokens of one sequence        d  width (d_model)        H  heads

One multiplication and one addition are two operations (FLOPs), so that a product (m, k) x (k, n) takes 2 m k n; numbers
take 4 bytes (float32). Softmax, norms, biases and gates are left out of the operations: few beside the products.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from typing import Literal, get_args

from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.network import blank_network
from attnviz.models.network_config import SCORINGS
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.models.tuned_config import TunedConfig, last_layers

__all__ = [
    "LAYERS",
    "Layer",
    "activation_bytes",
    "crossing",
    "flops",
    "flops_per_step",
    "memory",
    "n_parameters",
    "path_length",
    "sequential_steps",
]

Layer = Literal["attention", "rnn", "gru", "lstm", "convolution"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

GATES: Mapping[str, int] = {"rnn": 1, "gru": 3, "lstm": 4}
"""Products of a recurrent cell with its input, and as many with its state, in each step."""
STATES: Mapping[str, int] = {"rnn": 1, "gru": 1, "lstm": 2}
"""Vectors that a cell hands on to its next step."""
KERNEL = 3
"""Positions that a convolutional layer reads for each output, k."""
BYTES = 4


def flops(layer: Layer, n_tokens: int, d: int) -> int:
    """Return the operations of a layer on one sequence: 8 T d^2 + 4 T^2 d, 4 g T d^2, or 2 k T d^2.

    Attention: the four projections (W_Q, W_K, W_V, W_O) take 4 * 2 T d^2; the scores of all heads 2 T^2 d, and the
    weighted values as much. The number of heads does not matter: each is d / H wide. Recurrence: each of the T steps
    multiplies the input and the state, both d wide, by g matrices (d, d) each, with g = 1 (RNN), 3 (GRU), 4 (LSTM).
    Convolution: k matrices (d, d) at each position, those that read beyond the ends included; k = 3.

    Args:
        layer: "attention", "rnn", "gru", "lstm" or "convolution".
        n_tokens: T.
        d: width of input, state and output.

    Source:
        Vaswani et al. 2017, table 1: O(T^2 d), O(T d^2) and O(k T d^2), here with the projections; the cells as in
        Hochreiter & Schmidhuber 1997 (LSTM) and Cho et al. 2014 (GRU).

    Example:
        >>> flops("attention", 10, 4) == 4 * 2 * 10 * 4**2 + 2 * 2 * 10**2 * 4
        True
    """
    if layer == "attention":
        return 2 * _attention(n_tokens, n_tokens, d, d)
    if layer == "convolution":
        return 2 * KERNEL * n_tokens * d * d
    return 2 * _recurrence(layer, n_tokens, d, d, d)


def memory(layer: Layer, n_tokens: int, d: int, n_heads: int) -> int:
    """Return the bytes of all that can be looked at in a layer, of one sequence.

    Attention: 4 (H T^2 + 5 T d), the weights of every head (T^2 each), queries, keys, values, contexts and outputs
    (T d each). Recurrence: 4 (T d + s d), s = 1, or 2 (LSTM), its outputs, and the state that it hands on.
    Convolution: 4 T d, its outputs. What a layer takes while it runs is another number: fused kernels hold a part of
    the weights at a time, plain ones scores and weights; PyTorch's RNN and GRU make the inputs of the gates of all
    steps in advance, g T d numbers.

    Args:
        layer: "attention", "rnn", "gru", "lstm" or "convolution".
        n_tokens: T.
        d: width of input, state and output.
        n_heads: H, of attention.
    """
    if layer == "attention":
        return BYTES * (n_heads * n_tokens**2 + 5 * n_tokens * d)
    return BYTES * (n_tokens * d + STATES.get(layer, 0) * d)


def sequential_steps(layer: Layer, n_tokens: int) -> int:
    """Return the steps that must wait for each other: T in a recurrent layer, 1 in others.

    Source:
        Vaswani et al. 2017, table 1.
    """
    return n_tokens if layer in GATES else 1


def path_length(layer: Layer, n_tokens: int) -> int:
    """Return the layers, or the steps of a recurrent one, from the first token to the output at the last.

    Attention: 1. Recurrence: T. Convolution: the least n with 1 + (k - 1) (2^n - 1) >= T, layers that are causal and
    dilated by 1, 2, 4, ...; the more there are, the harder is it for a network to learn what lies far apart.

    Source:
        Vaswani et al. 2017, table 1: O(1), O(T), O(log_k T).

    Example:
        >>> [path_length(layer, 64) for layer in ("attention", "lstm", "convolution")]
        [1, 64, 6]
    """
    if layer == "convolution":
        return max(1, ceil((n_tokens - 1) / (KERNEL - 1)).bit_length())
    return sequential_steps(layer, n_tokens)


def crossing(layer: Layer, d: int) -> int | None:
    """Return the length beyond which attention takes more operations than another layer.

    8 T d^2 + 4 T^2 d = 4 g T d^2 gives T = (g - 2) d: d for the GRU, 2 d for the LSTM. None where attention takes more
    at every length: beside a plain RNN or a convolution, whose products per token are fewer than attention's four.

    Example:
        >>> [crossing(layer, 64) for layer in ("lstm", "gru", "rnn", "convolution")]
        [128, 64, None, None]
    """
    beyond = (flops(layer, 1, d) - 8 * d * d) // (4 * d)
    return beyond if beyond > 0 else None


@lru_cache(256)
def n_parameters(model: AnyConfig) -> int:
    """Return the numbers in a network's weights, without memory for them.

    Example:
        >>> n_parameters(ModelConfig("decoder", vocab_size=10, max_len=8, d_model=16, d_ff=0, n_layers=1))
        1610
    """
    return model.n_parameters if isinstance(model, TunedConfig) else blank_network(model).n_parameters


def flops_per_step(model: AnyConfig, batch_size: int) -> int:
    """Return the operations of the matrix products in one step of training, at the longest sequences the model reads.

    The backward pass takes twice as much as the forward pass: each product has a gradient for both of its factors. What
    fused attention computes a second time is left out.

    Example:
        >>> model = ModelConfig("decoder", vocab_size=10, max_len=8, d_model=16, d_ff=0, n_layers=1)
        >>> flops_per_step(model, 1)
        69120
    """
    if isinstance(model, ConvolutionalConfig):
        products = _convolutional(model)
    else:
        products = _recurrent(model) if isinstance(model, RecurrentConfig) else _transformer(model)
    return 3 * 2 * batch_size * products


def activation_bytes(model: AnyConfig, batch_size: int) -> int:
    """About what the forward pass keeps for the backward pass, at the longest sequences the model reads, in float32.

    A token costs in each block: norms, q, k, v, context and residual sums 10 d_model, dropout 3 d_model,
    cross-attention 8 d_model more, feed-forward 2 d_ff; at the end 3 copies of its logits; a mask T bytes. In a
    recurrent layer it costs gates, state and memory, 10 d_model; where states attend, for every key a weight and, with
    additive scores, 2 d_model. In a convolutional layer it costs norm, convolution and GELU 4 d_model, dropout
    d_model more, and each place of zeros beside the sequence d_model.
    """
    d, target, source = model.d_model, model.max_len, model.source_max_len or 0
    if isinstance(model, RecurrentConfig):
        per_token = model.n_layers * 10 * d + 3 * model.embedding_size
        per_pair = 1 + 2 * d * (model.attention == "additive")
        pairs = target * (source or target) * per_pair if model.attention != "none" else 0
        pooled = target * 2 * d if model.pooling == "additive" else 0
        numbers = (target + source) * per_token + target * 3 * model.output_size + pairs + pooled
        return batch_size * BYTES * numbers
    if isinstance(model, ConvolutionalConfig):
        length, width = target + source, 4 * d + (d if model.dropout else 0)
        zeros = sum(step * beside for step, beside in _weights(model, length))
        pooled = target * 2 * d if model.pooling == "additive" else 0
        numbers = model.n_layers * length * width + zeros * d + target * 3 * model.output_size + pooled
        return batch_size * BYTES * numbers
    if isinstance(model, TunedConfig):
        n_layers = model.n_layers if model.method == "lora" else last_layers(model.method, model.n_layers)
        pairs = 3 * model.n_heads * target**2 if model.dropout else 0  # dropout of weights has no fused kernel here
        return batch_size * BYTES * n_layers * (target * (16 * d + 3 * model.d_ff) + pairs)
    width = 10 * d + 2 * model.d_ff + (3 * d if model.dropout else 0)
    cross = 8 * d if source else 0
    numbers = target * (model.n_layers * (width + cross) + 3 * model.output_size) + source * model.n_layers * width
    return batch_size * (BYTES * numbers + target**2 + source**2)


def _attention(n_queries: int, n_keys: int, d: int, d_kv: int) -> int:
    """Multiplications of a layer: projections of queries and outputs, of keys and values, then scores and context.

    Keys and values of all heads are d_kv wide together; a masked half is included.
    """
    return 2 * n_queries * d * d + 2 * n_keys * d * d_kv + 2 * n_queries * n_keys * d


def _recurrence(cell: str, n_tokens: int, d: int, d_in: int, d_state: int) -> int:
    """Return the multiplications of a layer whose gates, d wide, each read input and state."""
    return n_tokens * GATES[cell] * d * (d_in + d_state)


def _transformer(model: ModelConfig | TunedConfig) -> int:
    """Return the multiplications in one forward pass of one sequence: blocks, features, and outputs, T d V."""
    d, target, source = model.d_model, model.max_len, model.source_max_len or 0
    d_kv = model.kv_heads * model.d_head if isinstance(model, ModelConfig) else d
    blocks = sum(_attention(n, n, d, d_kv) + 2 * n * d * model.d_ff for n in (target, source))
    cross = _attention(target, source, d, d_kv) if source else 0
    return model.n_layers * (blocks + cross) + target * model.n_features * d + _outputs(model)


def _recurrent(model: RecurrentConfig) -> int:
    """Return the multiplications in one forward pass of one sequence.

    Both directions of d / 2 together take T g d (d_in + d / 2); attention 2 Tq Tk d for scores and context, additive
    scores 2 T d d more for their projections; mixing context and state takes T 2 d d.
    """
    d, target, source = model.d_model, model.max_len, model.source_max_len or 0
    fed = d if source and model.attention == "additive" else 0
    products = target * model.n_features * model.embedding_size + (model.n_layers * d * d if source else 0)
    for length, reads in ((source, True), (target, model.architecture == "encoder")):
        back = d // 2 if model.bidirectional and reads else d
        first = model.embedding_size + (0 if reads else fed)
        products += _recurrence(model.cell, length, d, first, back)
        products += (model.n_layers - 1) * _recurrence(model.cell, length, d, d, back)
    if model.attention != "none":
        keys = source or target
        projections = (target + keys) * d * d if model.attention == "additive" else 0
        products += 2 * target * keys * d + projections + 2 * target * d * d
    return products + _outputs(model)


def _convolutional(model: ConvolutionalConfig) -> int:
    """Return the multiplications in one forward pass of one sequence: in each layer T (k + 1) d d.

    Of the k weights, those count that read something of the sequence. A source stands before its target, in the same
    layers.
    """
    d, length = model.d_model, model.max_len + (model.source_max_len or 0)
    weights = sum(1 + beside for _, beside in _weights(model, length))
    return length * d * d * (weights + model.n_layers) + model.max_len * model.n_features * d + _outputs(model)


def _weights(model: ConvolutionalConfig, length: int) -> list[tuple[int, int]]:
    """Return for each layer its dilation, and how many weights of a kernel read beside its own position."""
    return [(step, sum(min(side, (length - 1) // step) for side in model.sides)) for step in model.dilations]


def _outputs(model: AnyConfig) -> int:
    """Multiplications of the unembedding, and of the attention that one query pays to a sequence that is pooled."""
    d, target = model.d_model, model.max_len
    if model.pooling == "none":
        return target * d * model.output_size
    reads = 2 * target * d if model.pooling in SCORINGS else 0
    projections = (target + 1) * d * d if model.pooling == "additive" else 0
    return d * model.output_size + reads + projections
