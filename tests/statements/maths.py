"""Statements about attention itself, positions, cost, and what was recorded of training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from attnviz.analysis.positions import permuted, rotated, similarity, untrained
from attnviz.attention import Mask, attend
from attnviz.calculator import PRESETS, solve
from attnviz.models import ModelConfig, build_network
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.layers import Attention
from attnviz.positions import alibi_bias, alibi_slopes, relative_buckets, sinusoidal
from attnviz.tasks import Histogram
from attnviz.training import RECIPES
from attnviz.training.comparison import STORIES, at_distance, contenders, read_curves
from attnviz.zoo import EXAMPLE_RUNS, FOLDER
from tests.statements.looking import AT_LEAST, FRESH_SEED, look
from tests.statements.statement import Bound, at_least, at_most, between, statement
from tests.statements.texts import CROSS, read


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(FRESH_SEED))


# attention -----------------------------------------------------------------------------------------------------------


@statement("training.help.heads", "may read one thing or several", "一种或几种")
def a_head_may_read_several() -> Iterator[Bound]:
    seen = look("headline")
    both = {
        (site, head): min(read(seen, site, head, pattern).hits for pattern in ("value of the field", "both scores"))
        for site in CROSS
        for head in range(2)
    }
    yield at_least("a head that reads fields and scores", max(both.values()), 0.8)


@statement("training.help.heads", "Each head has queries, keys and values of its own", "自己的 Query、Key 和 Value")
@statement("training.help.heads", "they share d_model between them", "平分 d_model")
def heads_share_the_width() -> Iterator[Bound]:
    for n_heads in (1, 2, 4, 8):
        config = ModelConfig(architecture="encoder", vocab_size=5, max_len=8, d_model=64, n_heads=n_heads)
        layer = Attention(config, "encoder", 0, "self")
        yield between(f"width of {n_heads} heads", layer.d_head * n_heads, 64, 64)
        yield between("queries, keys and values", layer.project_in.weight.shape[0], 3 * 64, 3 * 64)


@statement("training.help.d_ff", "0 leaves the feed-forward part out", "前馈网络")
def no_feed_forward_part() -> Iterator[Bound]:
    config = ModelConfig(architecture="encoder", vocab_size=5, max_len=8, d_ff=0)
    network = build_network(config, seed=0)
    yield between("feed-forward parts", sum(isinstance(each, nn.GELU) for each in network.modules()), 0, 0)


@statement("calculator.mistake.residual.ask", "return when W_O is 0?", "当 W_O 为 0 时")
@statement("calculator.found.residual.zero", "With W_O = 0 the input is lost", "输入丢失")
@statement("calculator.found.residual.right", "With W_O = 0 the layer passes X on", "原样传递 X")
def what_is_left_without_w_o() -> Iterator[Bound]:
    x, w_o = random(AT_LEAST, 8), torch.zeros(8, 8)
    context, _ = attend(x, x, x)
    yield at_most("(X + context) W_O", ((x + context) @ w_o).abs().max(), 0)
    yield at_most("X + context W_O, less X", (x + context @ w_o - x).abs().max(), 0)


@statement("calculator.found.lstm.change", "self-attention with a causal mask does not read it either", "因果掩码")
@statement(
    "calculator.found.lstm.right", "the first position changes, unless a mask hides what comes later", "除非掩码"
)
@statement("calculator.found.lstm.right", "a sum of values over the positions, weighted by a softmax", "加权和")
def what_the_first_position_sees() -> Iterator[Bound]:
    before = random(AT_LEAST, 6, 8)
    after = before.clone()
    after[:, -1] += 1
    causal = Mask(causal=True)
    (masked, weights), (changed, _) = attend(before, before, before, causal), attend(after, after, after, causal)
    yield at_most("change with a causal mask", (changed - masked)[:, 0].abs().max(), 1e-6)
    free = (attend(after, after, after)[0] - attend(before, before, before)[0])[:, 0].abs().amax(-1)
    yield at_least("least change without one", free.min(), 1e-4)
    yield at_most("output less weighted values", (masked - weights @ before).abs().max(), 1e-5)


@statement(
    "calculator.found.rows.right", "Of 10,000 random pairs with d_k = 64 the scores spread by √64", "标准差约为 √64"
)
@statement("calculator.found.rows.right", "√d_k, the width of one head", "一个 head 的宽度")
def scores_spread_by_the_width() -> Iterator[Bound]:
    for d_k, n_heads in ((64, 8), (64, 2), (16, 8)):
        q, k = random(2, n_heads, 10_000, d_k)
        spread = (q * k).sum(-1).std(-1)
        yield between(f"spread over √{d_k}, {n_heads} heads", (spread / d_k**0.5).mean(), 0.97, 1.03)


@statement("calculator.about.one-hot-scaled", "the weights come closer together", "√3")
@statement("calculator.about.one-hot", "the scores are the identity too", "单位矩阵")
@statement("calculator.about.ten", "Q Kᵀ is 10 × 10", "10 × 10")
@statement("calculator.about.five", "5 × 5 scores, d_k = 1", "5 × 5")
@statement("calculator.about.ten-rows", "each row is divided by √3 and sums to 1 after softmax", "√3")
@statement("calculator.about.self", "queries and keys of width 3, values of width 2", "2")
@statement("calculator.about.decoder", "no query reads a later key", "Key")
@statement("calculator.about.multi-head", "The columns are shared between two heads", "两个 head")
def presets_are_what_they_say() -> Iterator[Bound]:
    sites = {name: solve(problem).sites[0] for name, problem in PRESETS.items()}
    yield at_most("one-hot scores less the identity", (sites["one-hot"].scores(0) - torch.eye(3)).abs().max(), 0)
    spread = [float(sites[name].weights(0).std()) for name in ("one-hot", "one-hot-scaled")]
    yield at_least("spread before and after the scale", spread[0] - spread[1], 0.01)
    for name, shape in (("ten", (10, 10)), ("five", (5, 5)), ("ten-rows", (10, 3)), ("self", (3, 3))):
        yield between(f"shape of {name}", float(tuple(sites[name].scores(0).shape) == shape), 1, 1)
    yield between("d_k of five", sites["five"].d_head, 1, 1)
    rows = sites["ten-rows"]
    yield between("scale of ten-rows", rows.scale, 3**-0.5 - 1e-6, 3**-0.5 + 1e-6)
    yield at_most("its rows less 1", (rows.weights(0).sum(1) - 1).abs().max(), 1e-5)
    yield between("d_k of self", sites["self"].d_head, 3, 3)
    yield between("d_v of self", sites["self"].d_value, 2, 2)
    yield at_most("weights of later keys", sites["decoder"].weights(0).triu(1).max(), 0)
    yield between("heads", sites["multi-head"].n_heads, 2, 2)


@statement("calculator.step.softmax.about", "the weights of a row sum to 1", "1")
@statement("calculator.step.mask.about", "get −∞, and so the weight 0", "−∞")
@statement("calculator.step.rotate.about", "values are not rotated", "Value")
def rows_sum_to_1() -> Iterator[Bound]:
    q, k, v = random(3, AT_LEAST, 7, 8)
    weights = attend(q, k, v, Mask(causal=True))[1]
    yield at_most("rows less 1", (weights.sum(-1) - 1).abs().max(), 1e-5)
    yield at_most("weights of masked keys", weights.triu(1).max(), 0)


@statement("task.histogram.about", "the share that <bos> gets, 1/2, 1/3, 1/4, tells the number", "1/2、1/3、1/4")
@statement("task.histogram.about", "a head that reads its own letter alone cannot count", "无法计数")
@statement("task.histogram-no-bos.about", "three equal values have the same mean as one", "平均")
def what_bos_is_for() -> Iterator[Bound]:
    task = Histogram()
    batch = task.sample(AT_LEAST, Generator().manual_seed(FRESH_SEED), "test")
    bos = batch.tokens[:, 0]
    alike = batch.tokens[:, :, None] == batch.tokens[:, None]  # (B, T, T)
    counts = alike[:, 1:, 1:].sum(-1)
    with_bos = alike[:, 1:] | (batch.tokens == bos[:, None])[:, None]
    share = with_bos.double().div(with_bos.sum(-1, keepdim=True))[..., 0]
    yield at_most("share of <bos> less 1 / (1 + count)", (share - 1 / (1 + counts)).abs().max(), 1e-6)
    values = F.one_hot(batch.tokens, task.tokenizer.vocab_size).double()
    alone = alike.double().div(alike.sum(-1, keepdim=True)) @ values  # (B, T, V)
    yield at_most("what its own letter alone gives, less the letter", (alone - values).abs().max(), 1e-9)


@statement("task.majority.about", "the mean holds the shares", "平均值包含了比例")
def the_mean_holds_the_shares() -> Iterator[Bound]:
    task = RECIPES["majority"].task
    batch = task.sample(AT_LEAST, Generator().manual_seed(FRESH_SEED), "test")
    mean = F.one_hot(batch.tokens[:, 1:], task.tokenizer.vocab_size).double().mean(1)  # (B, V)
    yield at_least("answers that are the larger share", (mean.argmax(-1) == batch.targets[:, 0]).double().mean(), 1)


@statement("task.parity.about", "no part of the bits tells anything", "只看其中一部分位得不到任何信息")
@statement("task.parity.about", "Every single bit changes the answer", "每一位都会改变答案")
def parity_is_in_no_part() -> Iterator[Bound]:
    n = 10  # of the 16 in the recipe: any number is alike
    bits = torch.tensor([[row >> place & 1 for place in range(n)] for row in range(2**n)])
    parity = bits.sum(1) % 2
    for place in range(bits.shape[1]):
        others = torch.cat((bits[:, :place], bits[:, place + 1 :]), 1)
        sides = {tuple(row): [0, 0] for row in others.tolist()}
        for row, odd in zip(others.tolist(), parity.tolist(), strict=True):
            sides[tuple(row)][odd] += 1
        yield at_most(f"all but bit {place} tell more than chance", max(abs(a - b) for a, b in sides.values()), 0)


# positions -----------------------------------------------------------------------------------------------------------


@statement("positions.about.none", "which tokens there are and how often, in whatever order they stand", "与先后无关")
@statement("positions.lost.text", "every token gets exactly what it got before", "完全一样")
def order_is_lost() -> Iterator[Bound]:
    for found in permuted(AT_LEAST, 32):
        share = found.difference / found.largest
        yield at_most(found.kind, share, 1e-4) if found.kind == "none" else at_least(found.kind, share, 1e-3)
    tokens = random(5, 8)
    once, twice = (attend(x, x, x)[0][0] for x in (tokens, torch.cat((tokens, tokens[:1]))))
    yield at_least("a token that comes twice counts twice", (once - twice).abs().max(), 1e-3)


@statement("positions.lost.note", "a causal mask alone gives order away too", "因果掩码本身")
def a_causal_mask_tells_order() -> Iterator[Bound]:
    x, order = random(AT_LEAST, 8), torch.randperm(AT_LEAST, generator=Generator().manual_seed(FRESH_SEED))
    before, after = (attend(each, each, each, Mask(causal=True))[0] for each in (x, x[order]))
    yield at_least("change of place is noticed", (after - before[order]).abs().max(), 1e-2)


@statement(
    "positions.seen.alibi", "steep heads (the first ones) lean towards what is near, flat heads read far", "偏向近处"
)
@statement("positions.about.alibi", "Nothing is learned", "没有可学习")
def steep_heads_lean_near() -> Iterator[Bound]:
    for n_heads in (4, 8):
        near = []
        for slope in alibi_slopes(n_heads).tolist():
            scores = alibi_bias(64, slope)[-1]  # of equal scores, the last query
            near.append(float(scores.softmax(-1)[-4:].sum()))
        yield at_least(f"{n_heads} heads, the first leans nearer than the last", near[0] - near[-1], 0.3)
        yield at_least("each leans nearer than the next", min(a - b for a, b in pairwise(near)), 0)


@statement("positions.seen.sinusoidal", "similarity depends on the distance alone", "只取决于距离")
@statement("positions.about.sinusoidal", "fast ones at the left, slow ones at the right", "左边变化快")
def sinusoidal_similarity() -> Iterator[Bound]:
    encoding = sinusoidal(AT_LEAST, 64).double()
    yield at_most("spread along the diagonals", spread(similarity(encoding)), 1e-4)
    turns = (encoding[1:, 0::2] - encoding[:-1, 0::2]).abs().mean(0)
    yield at_least("change of the first wave over the last", turns[0] / turns[-1], 100)


@statement("positions.seen.rotary", "depends on i − j alone; the length of the vector stays as it was", "i − j")
def rotary_similarity() -> Iterator[Bound]:
    vectors = rotated(AT_LEAST, 64).double()
    yield at_most("spread along the diagonals", spread(vectors @ vectors.T) / float(vectors[0] @ vectors[0]), 1e-4)
    yield at_most("change of length", (vectors.norm(dim=1) / vectors[0].norm() - 1).abs().max(), 1e-4)


@statement(
    "positions.seen.learned", "before training only the diagonal stands out, no position is near another", "对角线突出"
)
def untrained_table() -> Iterator[Bound]:
    found = similarity(untrained(AT_LEAST, 64))
    yield at_most("largest off the diagonal", (found - torch.eye(len(found))).abs().max(), 0.8)
    yield at_most("mean off the diagonal", (found - torch.eye(len(found))).abs().mean(), 0.15)


@statement("positions.about.t5", "one of 32 buckets", "32 个桶")
@statement("positions.seen.t5", "near distances have a bucket each, far ones share more and more", "近距离各有一个桶")
@statement("positions.seen.t5", "keys after the query have buckets of their own", "自己的桶")
def buckets() -> Iterator[Bound]:
    table = relative_buckets(300)
    yield between("buckets", len(set(table.flatten().tolist())), 31, 32)
    before = table[-1].flip(0).tolist()  # by distance
    yield between("first distances, each its own", len(set(before[:8])), 8, 8)
    sizes = [before.count(bucket) for bucket in dict.fromkeys(before[8:])]
    yield at_least("each shares with more than the one before, or as many", min(b - a for a, b in pairwise(sizes)), 0)
    after = set(table[0, 1:].tolist())
    yield between("buckets shared by both directions", len(after & set(before)), 0, 0)


def spread(matrix: Tensor) -> float:
    """Largest difference of two numbers on one diagonal."""
    diagonals = [matrix.diagonal(offset) for offset in range(len(matrix))]
    return max(float(each.max() - each.min()) for each in diagonals)


# what was recorded ---------------------------------------------------------------------------------------------------


@cache
def grokking() -> list[dict[str, Any]]:
    lines = (EXAMPLE_RUNS / "grokking" / "metrics.jsonl").read_text("utf-8").splitlines()
    return [found for found in map(json.loads, lines) if "validation" in found]


@statement("task.modular.about", "training at 100%, held out at chance", "训练数据 100%")
@statement(
    "task.modular.about", "Much later the rule comes: its embedding gathers in a few frequencies", "少数几个频率"
)
@statement("watch.spectrum.note", "Once the rule is found, a few stand out", "只有少数几个频率突出")
def grokking_comes_late() -> Iterator[Bound]:
    looks = grokking()
    by_heart = next(found for found in looks if found["accuracy"] >= 0.99)
    yield at_most("held out when training is at 99 %", by_heart["validation"]["accuracy"], 0.1)
    rule = next(found["step"] for found in looks if found["validation"]["accuracy"] >= 0.99)
    yield at_least("steps to the rule over steps by heart", rule / by_heart["step"], 2.5)
    five = [sum(sorted(found["spectrum"])[-5:]) for found in (by_heart, looks[-1])]
    yield at_least("share of five frequencies at the end, less by heart", five[1] - five[0], 0.15)


@statement("comparison.distance.about", "its last output sees 31 positions back", "前面 31 个位置")
@statement("comparison.distance.about", "The accuracy of attention does not fall with the distance", "不随距离下降")
@statement("comparison.distance.about", "the LSTM that has not learned 10 steps after 500 steps of training", "500 步")
@statement("comparison.distance.about", "The same six at 10 to 200 steps", "10 步到 200 步")
def recorded_comparison() -> Iterator[Bound]:
    measured, curves = read_curves(FOLDER / "comparisons" / "first-symbol.json")
    yield between("steps of training at most", measured["steps"], 500, 500)
    yield between("shortest distance", min(curve.distance for curve in curves), 10, 10)
    yield between("longest distance", max(curve.distance for curve in curves), 200, 200)
    for curve in curves:
        if curve.contender == "transformer":
            yield at_least(f"attention at {curve.distance}", max(curve.values), 0.99)
        if curve.contender == "cnn":
            model = contenders(at_distance(STORIES["first-symbol"], curve.distance))["cnn"]
            assert isinstance(model, ConvolutionalConfig)
            yield between("positions that the CNN sees", model.reach[0], 31, 31)
            yield between(
                f"CNN at {curve.distance}", max(curve.values), *((0.99, 1) if curve.distance < 32 else (0, 0.2))
            )
        if curve.contender == "lstm" and curve.distance == 10:
            yield at_most(f"LSTM at {curve.distance}", max(curve.values), 0.5)
