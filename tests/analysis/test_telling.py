"""The head that a picture begins with."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import attnviz
from attnviz.analysis.telling import Telling, followed, most_telling
from attnviz.attention import Mask
from attnviz.models.bundle import Example
from attnviz.tasks import Pattern
from attnviz.trace import AttentionSite, Trace
from attnviz.trace.thumbnails import leave_out_near, thumbnails
from attnviz.trace.tokens import Tokens
from attnviz.training import RECIPES
from attnviz.zoo import zoo

BY_PATTERN = {
    "reverse": "encoder.1.self", "sort": "decoder.0.self", "induction": "decoder.1.self", "recall": "decoder.1.self",
    "dates": "decoder.0.cross", "dates-lstm": "decoder.0.cross", "translation": "decoder.0.cross",
    "translation-lstm": "decoder.0.cross", "extract": "encoder.1.self", "series": "decoder.0.self",
    "sessions": "decoder.1.self", "gridworld": "decoder.1.self", "entities": "encoder.0.self",
    "comprehension": "encoder.0.self",
}  # fmt: skip
"""Where the pattern of a task is, on the model's first example."""


def trace_of(*weights: Tensor, specials: tuple[int, ...] = ()) -> Trace:
    """A trace whose sites have these weights (H, T, T) but for rounding, one layer each."""
    sites = tuple(site(layer, each) for layer, each in enumerate(weights))
    length = weights[0].shape[1]
    tokens = Tokens(tuple(range(length)), tuple(map(str, range(length))), specials)
    model = attnviz.load_model("zoo/reverse")
    proof: Any = None
    return Trace(model, "", None, False, {"encoder": tokens}, "encoder", sites, None, proof)


def site(layer: int, weights: Tensor) -> AttentionSite:
    n = weights.shape[1]
    scores = (weights + 1e-9).log()  # a softmax of it gives them back
    return AttentionSite(
        name=f"encoder.{layer}.self", layer=layer, stack="encoder", kind="self", queries="encoder", keys="encoder",
        scoring="dot", q=scores, k=torch.eye(n).expand(len(weights), n, n), v=torch.zeros(len(weights), n, 2),
        w_o=None, scale=1.0, mask=Mask(),
    )  # fmt: skip


def told(trace: Trace, *expected: Pattern) -> Telling:
    far = {each.name: thumbnails(each, trace.sequences[each.keys].specials).far for each in trace.sites}
    return most_telling(trace, far, expected)


def rows(*reads: int) -> Tensor:
    """Weights that read one key in each row."""
    return torch.nn.functional.one_hot(torch.tensor(reads), len(reads)).float()


OWN, PREVIOUS, FIRST, FAR = rows(0, 1, 2, 3, 4), rows(0, 0, 1, 2, 3), rows(0, 0, 0, 0, 0), rows(3, 4, 4, 1, 1)
EVEN = torch.full((5, 5), 0.2)


def test_a_head_that_reads_at_a_distance_tells_more_than_one_that_reads_what_lies_near() -> None:
    trace = trace_of(torch.stack([OWN, PREVIOUS, FIRST]), torch.stack([EVEN, FAR]))
    assert told(trace) == Telling(1, 1, 0)
    assert told(trace_of(torch.stack([FAR, EVEN]), torch.stack([OWN, FIRST]))) == Telling(0, 0, 0)
    assert told(trace_of(torch.stack([OWN, EVEN, PREVIOUS]))).head == 1


def test_special_tokens_are_always_there_and_tell_little() -> None:
    to_special = rows(4, 4, 4, 4, 4)
    trace = trace_of(torch.stack([to_special, EVEN]), specials=(0, 4))
    assert told(trace).head == 1
    assert told(trace_of(torch.stack([to_special, EVEN]))).head == 0


def test_an_expected_pattern_decides_where_a_head_follows_it() -> None:
    trace = trace_of(torch.stack([PREVIOUS, FAR]), torch.stack([EVEN, OWN]))
    previous = Pattern.of("previous", [(2, 1), (3, 2)], "abcde")
    nobody = Pattern.of("nobody", [(2, 4), (1, 3)], "abcde")
    unscored = Pattern.of("unscored", [], "abcde")
    assert told(trace, previous) == Telling(0, 0, 2, "previous")
    assert told(trace, unscored, nobody, previous) == told(trace, previous)
    assert told(trace, nobody).pattern == ""
    follow = [(each.pattern, each.site, each.head) for each in followed(trace, (previous, unscored, nobody))]
    assert follow == [("previous", "encoder.0.self", 0)]


def test_of_heads_that_follow_it_alike_the_last_comes_first() -> None:
    previous = Pattern.of("previous", [(2, 1)], "abcde")
    assert told(trace_of(torch.stack([PREVIOUS, PREVIOUS, FAR]), PREVIOUS[None]), previous).site == 1


def test_what_lies_near_is_left_out_of_every_block_alike() -> None:
    weights = torch.rand(2, 9, 9, generator=torch.Generator().manual_seed(0))
    place = site(0, weights.softmax(-1))
    whole, parts = weights.clone(), weights.clone()
    leave_out_near(whole, place, (6,))
    for start in range(0, 9, 4):
        leave_out_near(parts[:, start : start + 4], place, (6,), start)
    assert torch.equal(whole, parts)
    kept = whole[0].nonzero().tolist()
    assert kept == [[i, j] for i in range(9) for j in range(9) if abs(i - j) > 1 and j not in (0, 6)]


@pytest.mark.parametrize("entry", zoo(), ids=lambda entry: entry.name)
def test_every_shipped_model_begins_where_its_task_shows(entry: Any) -> None:
    example: Example = entry.example
    texts = example if isinstance(example, tuple) else (example,)
    trace = attnviz.trace(attnviz.load_model(f"zoo/{entry.name}"), *texts)
    if not trace.sites:
        return
    found = told(trace, *RECIPES[entry.name].task.expected(trace.token_ids, trace.source_ids))
    chosen = trace.sites[found.site]
    assert 0 <= found.head < chosen.n_heads
    assert 0 <= found.query < chosen.q.shape[1]
    if entry.name in BY_PATTERN:
        assert (chosen.name, bool(found.pattern)) == (BY_PATTERN[entry.name], True)
