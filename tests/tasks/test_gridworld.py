"""The gridworld: its map, the walks that were logged, and what counts as right."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from attnviz.errors import ConfigError
from attnviz.tasks.base import IGNORE, SPLITS, Batch, Split
from attnviz.tasks.decisions.gridworld import ACTIONS, BEST, MAP, RETURNS, SIGNS, Gridworld, world

MOVES = dict(ACTIONS)


def walks(n: int = 300, split: Split = "train") -> list[list[str]]:
    """Walks as symbols, the last action included."""
    task = Gridworld()
    batch = task.sample(n, Generator().manual_seed(5), split)
    last = [[i for i in row if i != IGNORE][-1] for row in batch.targets.tolist()]
    return [
        [*task.tokenizer.decode(row).split(), task.tokenizer.label(action)]
        for row, action in zip(batch.tokens.tolist(), last, strict=True)
    ]


def step(cell: tuple[int, int], action: str) -> tuple[int, int]:
    """Where an action leads, by the map itself."""
    row, column = cell[0] + MOVES[action][0], cell[1] + MOVES[action][1]
    return cell if MAP[row][column] == "#" else (row, column)


def shortest(cell: tuple[int, int], goal: str) -> int:
    """Breadth first, not through other goals."""
    front, seen, steps = {cell}, {cell}, 0
    while all(MAP[row][column] != goal for row, column in front):
        front = {step(at, action) for at in front if MAP[at[0]][at[1]] == "." for action in ACTIONS} - seen
        seen |= front
        steps += 1
    return steps


def test_distances_are_those_of_a_search() -> None:
    grid = world()
    for place in range(grid.n_floor):
        for sign, goal in enumerate("RGB"):
            assert int(grid.distance[sign, place]) == shortest(grid.cells[place], goal)


def test_there_is_one_crossing_and_all_goals_are_three_steps_from_it() -> None:
    grid = world()
    (place,) = grid.crossings().nonzero()[:, 0].tolist()
    assert grid.cells[place] == (4, 4)
    assert grid.distance[:, place].tolist() == [3, 3, 3]
    assert [list(ACTIONS)[int(best.nonzero())] for best in grid.best()[:, place]] == ["left", "up", "right"]


def test_walks_are_walks_and_their_returns_are_right() -> None:
    goals = dict(zip(SIGNS, "RGB", strict=True))
    ended = set()
    for wanted, sign, *steps in walks():
        cells, actions = steps[::2], steps[1::2]
        at = (int(cells[0][1]), int(cells[0][2]))
        start = at
        for cell, action in zip(cells, actions, strict=True):
            assert cell == f"s{at[0]}{at[1]}"
            at = step(at, action)
        end = MAP[at[0]][at[1]]
        assert end != "." or len(actions) == 20
        ended.add(end)
        percent = 100 * shortest(start, goals[sign]) / len(actions) if end == goals[sign] else 0
        low = int(wanted[1:])
        assert percent == 0 if low == 0 else max(percent, 25) >= low > percent - 25
        assert (wanted == BEST) == (percent == 100)
    assert ended == set("RGB.")


def test_those_who_walked_did_not_mind_the_sign() -> None:
    found = walks(2000)
    paid = sum(walk[0] != "r0" for walk in found) / len(found)
    assert paid == pytest.approx(0.31, abs=0.03), "one of three goals, less those who never arrived"
    assert {walk[0] for walk in found} == set(RETURNS)


def test_no_walk_is_in_two_splits() -> None:
    train, validation, test = ({" ".join(walk) for walk in walks(600, split)} for split in SPLITS)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_actions_alone_are_scored() -> None:
    task = Gridworld()
    batch = task.sample(100, Generator().manual_seed(0))
    scored = batch.targets != IGNORE
    assert not scored[:, :2].any()
    assert not scored[:, 3::2].any()
    assert {task.tokenizer.label(i) for i in batch.targets[scored].tolist()} == set(ACTIONS)
    assert batch.padding is not None
    assert scored.sum(1).tolist() == ((batch.padding.sum(1) - 1) // 2).tolist()


def logits_of(task: Gridworld, batch: Batch, sign: Tensor | None) -> Tensor:
    """Of who knows the map: the best action for the sign that is shown, or for another."""
    best = world().best()
    shown = batch.tokens[:, 1] - task.first["sign"] if sign is None else sign
    place = (batch.tokens - task.first["cell"]).clamp(0, world().n_floor - 1)
    logits = torch.zeros(*batch.tokens.shape, task.tokenizer.vocab_size)
    first = task.first["action"]
    logits[..., first : first + len(ACTIONS)] = best[shown[:, None], place].float()
    return logits


def test_who_minds_the_sign_is_right_and_who_does_not_seldom() -> None:
    task = Gridworld()
    batch = task.sample(500, Generator().manual_seed(0))
    assert task.accuracy(logits_of(task, batch, None), batch) == 1
    for sign in range(3):
        others = task.accuracy(logits_of(task, batch, torch.full((500,), sign)), batch)
        assert others == pytest.approx(1 / 3, abs=0.12)


def test_any_shortest_way_is_right_not_only_the_logged_one() -> None:
    """In the room there are several: what was done there is not always what `argmax` of the table says."""
    task = Gridworld()
    batch = task.sample(500, Generator().manual_seed(0))
    asked = batch.tokens[:, 0] == task.tokenizer.encode(BEST)[0]
    said = logits_of(task, batch, None).argmax(-1)
    logged = ((said == batch.targets) | (batch.targets == IGNORE)).all(1)
    assert not bool(logged[asked].all())


def test_what_is_no_action_is_wrong_and_nothing_to_judge_is_0() -> None:
    task = Gridworld()
    batch = task.sample(200, Generator().manual_seed(0))
    assert task.accuracy(torch.zeros(*batch.tokens.shape, task.tokenizer.vocab_size), batch) == 0
    bad = batch.tokens[:, 0] == task.tokenizer.encode("r0")[0]
    none = Batch(batch.tokens[bad], batch.targets[bad])
    assert task.accuracy(logits_of(task, none, None), none) == 0


def test_the_crossing_reads_the_sign() -> None:
    task = Gridworld()
    tokens = task.tokenizer.encode("r100 blue s64 up s54 up s44 right s45")
    (pattern,) = task.expected(tokens)
    assert pattern.reads.nonzero().tolist() == [[6, 1]]
    assert not task.expected(task.tokenizer.encode("s44 up s34"))[0].reads.any()


def test_baselines_know_no_sign() -> None:
    (alone,) = Gridworld().baselines()
    assert alone.name == "place alone"
    assert 0.1 < alone.score < 0.5


def test_a_horizon_must_let_one_arrive() -> None:
    longest = int(world().distance[:, world().starts].max())
    assert Gridworld(horizon=12).horizon >= longest
    with pytest.raises(ConfigError, match="horizon is 11"):
        Gridworld(horizon=11)
