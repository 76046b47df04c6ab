"""Walks in the gridworld: what a network does for a target return, and which earlier steps it attends to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models import Network
from attnviz.tasks.decisions.gridworld import ACTIONS, BEST, RETURNS, SIGNS, Gridworld, world

__all__ = [
    "Attended",
    "Episode",
    "Policy",
    "Success",
    "attended",
    "logged",
    "on_grid",
    "play",
    "policy",
    "success",
    "table_policy",
]

Policy = Callable[[list[int]], int]
"""From the tokens so far, the last of them a place, to an action, counted from 0."""


@dataclass(frozen=True)
class Episode:
    """One walk.

    Attributes:
        tokens: tokens that were read: target return, sign, place, action, place ..., as far as the last decision.
        path: row and column of each place, start and end included.
        paid: whether it ended at the goal that pays.
        shortest: steps of a shortest way there.
    """

    tokens: tuple[int, ...]
    path: tuple[tuple[int, int], ...]
    actions: tuple[str, ...]
    paid: bool
    shortest: int

    @property
    def steps(self) -> int:
        """Actions taken."""
        return len(self.actions)

    @property
    def reward(self) -> float:
        """shortest / steps if it was paid, else 0."""
        return self.shortest / self.steps if self.paid else 0.0


class Success(NamedTuple):
    """Many walks of one policy.

    Attributes:
        paid: share that ended at the goal that pays.
        shortest: share that did so in the fewest steps.
        reward: mean of `Episode.reward`.
        n: walks.
    """

    paid: float
    shortest: float
    reward: float
    n: int


class Attended(NamedTuple):
    """Attention of one head at each of n decisions; target return, sign and steps sum to 1.

    Attributes:
        wanted: (n,) on the target return.
        sign: (n,) on the sign.
        steps: (n, n) decision i on step j: on its place and, of an earlier one, its action.
    """

    wanted: Tensor
    sign: Tensor
    steps: Tensor


def policy(network: Network, task: Gridworld) -> Policy:
    """Return the most probable action of a network."""
    first = task.first["action"]

    @torch.inference_mode()
    def decide(tokens: list[int]) -> int:
        logits = network.eval()(torch.tensor([tokens]))[0, -1]  # (V,)
        return int(logits[first : first + len(ACTIONS)].argmax())

    return decide


def table_policy(table: Tensor, task: Gridworld) -> Policy:
    """Return the best action of the last token alone, by a table (V, V) such as `Gridworld.place_alone`."""
    first = task.first["action"]
    return lambda tokens: int(table[tokens[-1], first : first + len(ACTIONS)].argmax())


def play(decide: Policy, task: Gridworld, sign: str, start: str, wanted: str = BEST) -> Episode:
    """Walk until a goal is reached, or for as many steps as the task's horizon.

    Args:
        decide: what to do.
        task: its tokens and its horizon.
        sign: one of `SIGNS`.
        start: a place to start from, such as "s64".
        wanted: one of `RETURNS`.

    Raises:
        UnknownSymbols: the task has no such sign, place or return.
    """
    grid = world()
    tokens = task.tokenizer.encode_symbols((wanted, sign, start))
    place, pays = tokens[2] - task.first["cell"], SIGNS.index(sign)
    shortest = int(grid.distance[pays, place])
    path, actions = [grid.cells[place]], []
    while True:
        action = decide(tokens)
        place = int(grid.following[place, action])
        path.append(grid.cells[place])
        actions.append(tuple(ACTIONS)[action])
        if place >= grid.n_floor or len(actions) == task.horizon:
            break
        tokens += [task.first["action"] + action, task.first["cell"] + place]
    return Episode(tuple(tokens), tuple(path), tuple(actions), place == grid.goal(pays), shortest)


def success(decide: Policy, task: Gridworld, wanted: str = BEST) -> Success:
    """Walk once from every start under every sign, which are all the walks there are."""
    names = [task.tokenizer.label(task.first["cell"] + start) for start in world().starts.tolist()]
    episodes = [play(decide, task, sign, name, wanted) for sign in SIGNS for name in names]
    n = len(episodes)
    paid, shortest = (sum(values) / n for values in ([e.paid for e in episodes], [e.reward == 1 for e in episodes]))
    return Success(paid, shortest, sum(episode.reward for episode in episodes) / n, n)


def logged(task: Gridworld, n: int = 2048, seed: int = 0) -> Success:
    """Measure the success of the walks in the training data, by the rewards that are logged."""
    best = torch.tensor([int(name[1:]) / 100 for name in RETURNS])
    batch = task.sample(n, Generator().manual_seed(seed))
    reward = best[batch.tokens[:, 0] - task.first["return"]]
    paid, shortest = (float(share.float().mean()) for share in (reward > 0, reward == 1))
    return Success(paid, shortest, float(reward.mean()), n)


def attended(weights: Tensor, tokens: Sequence[int]) -> Attended:
    """Return the attention of one head at the decisions of a walk, by what it read.

    Args:
        weights: (T, T) of a site for these tokens, each row sums to 1.
        tokens: tokens of an `Episode`, (T,): target return, sign, then places and actions in turn.

    Example:
        >>> weights = torch.eye(5)  # r100 red s64 up s54
        >>> weights[4] = torch.tensor([0.1, 0.4, 0.1, 0.1, 0.3])
        >>> attended(weights, [7, 8, 12, 30, 13]).steps
        tensor([[1.0000, 0.0000],
                [0.2000, 0.3000]])
    """
    decisions = weights[2 : len(tokens) : 2, : len(tokens)]  # (n, T)
    places, actions = decisions[:, 2::2], decisions[:, 3::2]
    steps = places.clone()
    steps[:, : actions.shape[1]] += actions
    return Attended(decisions[:, 0], decisions[:, 1], steps)


def on_grid(path: Sequence[tuple[int, int]], masses: Tensor, shape: tuple[int, int]) -> Tensor:
    """Add up the attention to the steps of a walk at the places where they were.

    Args:
        path: row and column of each step.
        masses: (n,) of the first n steps, a row of `Attended.steps`.
        shape: rows and columns of the map.

    Example:
        >>> on_grid([(0, 1), (0, 0), (0, 1)], torch.tensor([0.25, 0.5, 0.25]), (1, 2))
        tensor([[0.5000, 0.5000]])
    """
    grid = torch.zeros(shape)
    for (row, column), mass in zip(path, masses.tolist(), strict=False):
        grid[row, column] += mass
    return grid
