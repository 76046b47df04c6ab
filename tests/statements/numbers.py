"""Statements about digits, series, sound, sessions and decisions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import Generator, Tensor

from attnviz.analysis.decisions import logged, play, policy
from attnviz.tasks import Batch, Digits, Gridworld, Seasonal, Sound
from attnviz.tasks.decisions.gridworld import SIGNS, world
from attnviz.tasks.decisions.sessions import CATEGORY
from tests.statements.looking import AT_LEAST, FRESH_SEED, Seen, attended, look, model_of, read, task_of
from tests.statements.statement import Bound, at_least, at_most, between, statement
from tests.statements.texts import baseline

ENCODER = ("encoder.0.self", "encoder.1.self")


@cache
def pictures() -> Seen:
    """The whole test part of the digits: there are no more."""
    task = task_of("digits")
    assert isinstance(task, Digits)
    found = task.pictures("test")
    tokens, features = task.tokens(torch.stack([each.pixels for each in found]))
    targets = torch.full_like(tokens, -100)
    targets[:, 0] = torch.tensor([each.label for each in found])
    return attended(model_of("digits"), task, Batch(tokens, targets, features=features))


@torch.inference_mode()
def area(seen: Seen, orders: Tensor) -> Tensor:
    """Area under the probability of the first answer while patches are erased, (B, 16) positions in order: (B,)."""
    assert seen.batch.features is not None
    (n, length), steps = seen.batch.tokens.shape, orders.shape[1]
    turn = torch.full((n, length), steps).scatter(1, orders, torch.arange(steps).expand(n, -1))
    erased = turn[:, None] < torch.arange(steps + 1)[:, None]  # (B, 17, T)
    inputs = seen.batch.features[:, None].masked_fill(erased[..., None], 0.0).flatten(0, 1)
    logits = seen.model.network(seen.batch.tokens.repeat_interleave(steps + 1, 0), features=inputs)[:, 0]
    chances = logits.softmax(-1).unflatten(0, (n, steps + 1))
    answers = seen.logits[:, 0].argmax(-1)
    return torch.trapezoid(chances[torch.arange(n), :, answers], dim=1) / steps


@cache
def areas() -> tuple[Tensor, Tensor, Tensor]:
    """Areas by the order of each of four heads (4, B), by ink (B,), and of the mean of two random orders (B,)."""
    seen = pictures()
    assert seen.batch.features is not None
    by_head = [seen.weights[site][:, head, 0, 1:] for site in ENCODER for head in range(2)]
    heads = torch.stack([area(seen, weights.argsort(1, descending=True) + 1) for weights in by_head])
    ink = area(seen, seen.batch.features[:, 1:].abs().sum(-1).argsort(1, descending=True) + 1)
    generator = Generator().manual_seed(FRESH_SEED)
    shuffled = [torch.rand(by_head[0].shape, generator=generator).argsort(1) + 1 for _ in range(2)]
    return heads, ink, torch.stack([area(seen, order) for order in shuffled]).mean(0)


@statement("task.digits.shows", "erasing those with the most ink first mostly hurts the answer sooner", "墨迹")
@statement("task.digits.shows", "some heads do no better than chance", "并不比随机顺序好")
def ink_explains_more_than_heads() -> Iterator[Bound]:
    heads, ink, chance = areas()
    for head, found in enumerate(heads):
        yield at_least(f"pictures where ink hurts sooner than head {head}", (ink < found).double().mean(), 0.5)
    yield at_least("heads no better than random orders", (heads.mean(1) > chance.mean() - 0.01).sum(), 1)


@statement("task.digits.about", "a linear model of the pixels is only a few pictures worse", "只差几张")
def digits_are_nearly_linear() -> Iterator[Bound]:
    gap = pictures().score - baseline("digits", "logistic regression")
    yield between("ahead of the linear model", gap, -0.02, 0.05)


@statement("task.digits.about", "the 1797 handwritten digits of 8 by 8 pixels", "1797")
@statement("task.digits.about", "cut into patches of 2 by 2", "2×2")
@statement("applications.digits.about", "Real images of 8 by 8 pixels", "8×8")
def digits_are_a_collection() -> Iterator[Bound]:
    task = task_of("digits")
    assert isinstance(task, Digits)
    parts = [task.pictures(split) for split in ("train", "validation", "test")]
    yield between("pictures", sum(len(part) for part in parts), 1797, 1797)
    yield between("pixels across", parts[2][0].pixels.shape[0], 8, 8)
    yield between("patches", pictures().batch.tokens.shape[1] - 1, 16, 16)


@statement("task.series.shows", "reads whole periods back and little else", "整数个周期之前")
def series_reads_whole_periods() -> Iterator[Bound]:
    yield at_least("on whole periods", read(look("series"), "decoder.0.self", 0, "whole periods back").mass, 0.95)


@statement("task.series.about", "the mean of all whole periods back is better, for noise averages out", "平均值更好")
@statement("task.series.about", "eight random values come again and again", "八个随机值")
@statement("task.series-lstm.about", "all eight values of a season", "八个值")
def series_baselines() -> Iterator[Bound]:
    last, one, mean = (baseline("series", name) for name in ("last value", "one period ago", "mean of the phase"))
    yield at_least("one period ago over the last value", one - last, 0.5)
    yield at_least("the mean over one period ago", mean - one, 0.02)
    task = task_of("series")
    assert isinstance(task, Seasonal)
    yield between("period", task.min_period, 8, 8)
    yield between("longest period", task.max_period, 8, 8)


@statement("task.series-lstm.about", "It gets there too", "也能做到")
def series_lstm() -> Iterator[Bound]:
    yield at_least("R2 of the LSTM over that of attention", look("series-lstm").score - look("series").score, -0.03)


@cache
def clips() -> tuple[tuple[tuple[tuple[str, int, int], ...], str], ...]:
    """What is said in the sounds of `look("sound")`: the parts of each, and its answer."""
    task = task_of("sound")
    assert isinstance(task, Sound)
    found = task.clips(AT_LEAST, Generator().manual_seed(FRESH_SEED))
    assert torch.equal(torch.stack([clip.frames for clip in found]), look("sound").batch.features[:, 1:])  # type: ignore[index]
    return tuple((clip.parts, clip.answer) for clip in found)


@statement("task.sound.shows", "In the shipped model <bos> reads the vowel after the beep", "提示音之后的元音")
def sound_reads_the_vowel() -> Iterator[Bound]:
    weights, masses = look("sound").weights["encoder.1.self"][:, :, 0], []  # (B, H, Tk)
    for row, (parts, _) in enumerate(clips()):
        beep = next(place for place, (name, _, _) in enumerate(parts) if name == "beep")
        _, start, end = parts[beep + 1]
        masses.append(weights[row, :, 1 + start : 1 + end].sum(-1))
    for head, mass in enumerate(torch.stack(masses).mean(0)):
        yield at_least(f"layer 1 head {head} on the vowel after the beep", mass, 0.8)


@statement("task.sound.about", "Which sounds occur is not enough; their order matters", "顺序才重要")
@statement("task.sound.about", "40 frames of 16 ms", "40 帧")
def sound_needs_order() -> Iterator[Bound]:
    yield at_most("a linear model of the mean spectrum", baseline("sound", "mean spectrum"), 0.45)
    yield between("frames", look("sound").batch.tokens.shape[1] - 1, 40, 40)
    yield at_least("accuracy", look("sound").score, 0.93)


@statement("task.sound-lstm.about", "additive attention makes one vector of its states", "加性注意力")
@statement("task.sound-lstm.shows", "A state has heard all frames before and after it", "前后的所有帧")
def sound_lstm() -> Iterator[Bound]:
    config = model_of("sound-lstm").config
    yield between("additive pooling", float(config.pooling == "additive"), 1, 1)
    yield between("both directions", float(config.bidirectional), 1, 1)  # type: ignore[union-attr]
    yield at_least("accuracy", look("sound-lstm").score, 0.93)


@statement(
    "task.sessions.shows", "which earlier items are remembered: the latest of each interest", "每个兴趣的最近一件"
)
def sessions_read_the_latest() -> Iterator[Bound]:
    found = [read(look("sessions"), "decoder.1.self", head, "latest of each interest") for head in range(2)]
    yield at_least("best head of layer 1 on them", max(each.mass for each in found), 0.85)
    yield at_least("best head of layer 1, largest weight", max(each.hits for each in found), 0.9)


@statement(
    "task.sessions.about", "the next item mostly follows the latest item of its own category", "同一类别的最近一件之后"
)
@statement(
    "applications.sessions.about",
    "the next item mostly follows the latest one of its own category",
    "同类中最近的一件之后",
)
@statement("task.sessions.about", "which is the last item of all about one time in four", "大约四次中有一次")
@statement("task.sessions.about", "Somebody with two or three interests", "两三个兴趣")
@statement("applications.sessions.about", "two or three interests", "两三类兴趣")
def sessions_turn() -> Iterator[Bound]:
    tokenizer, follows, last, interests = model_of("sessions").tokenizer, [], [], []
    rule = rules()
    for tokens, _ in look("sessions", 600).rows():
        items = [tokenizer.label(token) for token in tokens]
        latest: dict[str, str] = {}
        for place, item in enumerate(items):
            if CATEGORY[item] in latest:
                follows.append(rule[latest[CATEGORY[item]]] == item)
            if place:
                last.append(CATEGORY[items[place - 1]] == CATEGORY[item])
            latest[CATEGORY[item]] = item
        interests.append(len(latest))
    yield at_least("follows the latest of its category", sum(follows) / len(follows), 0.8)
    yield between("that is the last item of all", sum(last) / len(last), 0.2, 0.3)
    yield between("fewest interests", min(interests), 2, 2)
    yield between("most interests", max(interests), 3, 3)


@cache
def rules() -> dict[str, str]:
    """The item that mostly comes after each, counted in training sessions."""
    task, counts = task_of("sessions"), dict[str, dict[str, int]]()
    batch = task.sample(1000, Generator().manual_seed(FRESH_SEED))
    for row in batch.tokens.tolist():
        latest: dict[str, str] = {}
        for token in row:
            item = task.tokenizer.label(token)
            before = latest.get(CATEGORY[item])
            if before is not None:
                counts.setdefault(before, {}).setdefault(item, 0)
                counts[before][item] += 1
            latest[CATEGORY[item]] = item
    return {before: max(after, key=lambda item: after[item]) for before, after in counts.items()}


@cache
def walks() -> tuple[Seen, list[int]]:
    """The walks of the model for the best return, from every start under every sign: there are no more."""
    task, model = task_of("gridworld"), model_of("gridworld")
    assert isinstance(task, Gridworld)
    starts = [task.tokenizer.label(task.first["cell"] + place) for place in world().starts.tolist()]
    episodes = [play(policy(model.network, task), task, sign, start) for sign in SIGNS for start in starts]
    rows = [torch.tensor(episode.tokens) for episode in episodes]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, True)
    shortest = [int(episode.paid and episode.steps == episode.shortest) for episode in episodes]
    return attended(model, task, Batch(tokens, torch.full_like(tokens, -100), tokens != 0)), shortest


@statement(
    "task.gridworld.about",
    "Asked for the best return, the network walks straight to the right goal",
    "径直走向正确的目标",
)
@statement(
    "applications.gridworld.judged", "from every start under every sign: {n} walks, all that there are", "即全部情形"
)
def gridworld_walks_straight() -> Iterator[Bound]:
    _, shortest = walks()
    yield between("walks", len(shortest), len(SIGNS) * len(world().starts), len(SIGNS) * len(world().starts))
    yield at_least("shortest ways to the goal that pays", sum(shortest) / len(shortest), 0.98)


@statement("task.gridworld.shows", "At the crossing a head reads the sign of the first step", "第一步的标志")
@statement("task.gridworld.shows", "one head reads each of the three signs", "全部三种标志")
def gridworld_reads_every_sign() -> Iterator[Bound]:
    seen, _ = walks()
    task = task_of("gridworld")
    crossings = {place + task.first["cell"] for place in world().crossings().nonzero()[:, 0].tolist()}  # type: ignore[attr-defined]
    found: dict[tuple[str, int], dict[str, list[float]]] = {}
    for row, (tokens, _) in enumerate(seen.rows()):
        sign = task.tokenizer.label(tokens[1])
        for query in (place for place, token in enumerate(tokens) if token in crossings):
            for site, weights in seen.weights.items():
                for head in range(weights.shape[1]):
                    on_sign = float(weights[row, head, query, 1])
                    found.setdefault((site, head), {each: [] for each in SIGNS})[sign].append(on_sign)
    least = {where: min(sum(each) / len(each) for each in signs.values()) for where, signs in found.items()}
    yield at_least("best head on the sign it reads least", max(least.values()), 0.8)


@statement("applications.gridworld.about", "walks that ignored the sign", "不理会标志")
@statement("task.gridworld.about", "the walks in the data ignore it", "不理会")
@statement("task.gridworld.about", "which of three goals gives the reward", "三个目标")
@statement("applications.gridworld.about", "which of three goals gives the reward", "三个目标")
def gridworld_walks_ignore_the_sign() -> Iterator[Bound]:
    task = task_of("gridworld")
    assert isinstance(task, Gridworld)
    yield between("logged walks that were paid", logged(task, 2000, FRESH_SEED).paid, 0.2, 0.37)
    yield between("goals", len(SIGNS), 3, 3)
