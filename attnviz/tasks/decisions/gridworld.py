"""Decisions: what to do next in a little world, learned from what others did there, and from how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, belonging, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["ACTIONS", "BEST", "MAP", "RETURNS", "SIGNS", "Gridworld", "World", "world"]

MAP = (
    "#########",
    "####G####",
    "####.####",
    "####.####",
    "#R.....B#",
    "####.####",
    "#.......#",
    "#.......#",
    "#.......#",
    "#.......#",
    "#########",
)
"""Walls #, floor ., the goals: red R, green G and blue B."""
START_ROWS = range(6, 10)  # the room below
SIGNS = ("red", "green", "blue")  # which goal pays
GOALS = ("R", "G", "B")
ACTIONS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
RETURNS = ("r0", "r25", "r50", "r75", "r100")
BEST = RETURNS[-1]
CARE = torch.tensor([[0.02, 0.7], [0.3, 0.2], [1.0, 0.1]])  # chance of a random action; share of such walkers
NOTHING = -1  # the action after the end
JUDGED, FITTED = 2048, 8192  # walks of the baseline


class World(NamedTuple):
    """The map as tables; places are numbers, floor first, then the three goals.

    Attributes:
        cells: row and column of each place.
        following: (P, 4) the place an action leads to; a wall leaves one where one is, a goal for good.
        distance: (3, P) steps to each goal, on a way that does not go through another.
        starts: places to start from.
    """

    cells: tuple[tuple[int, int], ...]
    following: Tensor
    distance: Tensor
    starts: Tensor

    @property
    def n_floor(self) -> int:
        """Places that are no goal."""
        return len(self.cells) - len(GOALS)

    def goal(self, sign: int) -> int:
        """Return the place that pays under a sign."""
        return self.n_floor + sign

    def best(self) -> Tensor:
        """(3, P, 4) whether an action leads nearer to each goal."""
        return self.distance[:, self.following] < self.distance[:, :, None]

    def crossings(self) -> Tensor:
        """(P,) whether the ways to the goals part here: all are as far, and no action leads to two of them."""
        as_far = (self.distance == self.distance[0]).all(0)
        return as_far & (self.best().sum(0) <= 1).all(1)


@cache
def world() -> World:
    """Return the tables of the map."""
    at = {(row, column): symbol for row, line in enumerate(MAP) for column, symbol in enumerate(line)}
    cells = [cell for cell, symbol in at.items() if symbol == "."]
    cells += [next(cell for cell, symbol in at.items() if symbol == goal) for goal in GOALS]
    number = {cell: place for place, cell in enumerate(cells)}
    following = torch.arange(len(cells))[:, None].repeat(1, len(ACTIONS))
    for place, (row, column) in enumerate(cells[: -len(GOALS)]):
        for action, (down, right) in enumerate(ACTIONS.values()):
            following[place, action] = number.get((row + down, column + right), place)
    starts = [place for place, (row, _) in enumerate(cells) if row in START_ROWS]
    distance = torch.stack([_distances(following, len(cells) - len(GOALS) + goal) for goal in range(len(GOALS))])
    return World(tuple(cells), following, distance, torch.tensor(starts))


def _distances(following: Tensor, goal: int) -> Tensor:
    """(P,) steps to the goal; more than there are places where no way leads there."""
    distance = torch.full((len(following),), len(following) + 1)
    distance[goal] = 0
    for _ in range(len(following)):
        distance = distance.minimum(distance[following].amin(1) + 1)
    return distance


@dataclass(frozen=True)
class Gridworld(Task):
    """A decoder learns from logged walks what to do for a target return. The world and the walks are made up.

        read    r100 red s64 up s54 up s44 left s43 left s42
        write            up     up     left     left     left

    Down in a room stands a sign, seen in the first step alone, that says which goal pays: the red one, the green or the
    blue. From the room a way leads up to a crossing: red is on the left, green ahead, blue on the right, three steps
    each. s64 is row 6, column 4; a walk ends at a goal or after `horizon` steps. Those whose walks were logged did not
    mind the sign and chose a goal by chance; most went straight, others stumbled, some just staggered about. The return
    of a walk is shortest / steps if it ended at the goal that pays, else 0, in percent, rounded down to a quarter (but
    r25 where it is less); it stands in front. It is paid at the end, so the return still to come, which Chen et al.
    write before every step, is the same all the way.

    All actions are learned. The metric judges walks whose return is r100: the share in which every action is one that
    leads nearer to the goal that pays; a batch without any counts 0.

    Source:
        Chen et al. 2021, "Decision Transformer"; the return is the SPL of Anderson et al. 2018.

    Example:
        >>> task = Gridworld()
        >>> batch = task.sample(1, torch.Generator().manual_seed(1), "test")
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'r100 green s65 left s64 up s54 up s44 up s34 up s24'

    Attributes:
        horizon: steps at most.

    Raises:
        ConfigError: a horizon shorter than the longest of the shortest ways, or beyond 40.
    """

    horizon: int = whole(20, 12, 40, offered=range(12, 33, 4))

    name = "decisions"
    architecture = "decoder"
    metric = "exact match"
    typed = (  # walks up to the crossing that differ in the sign, and one for no return
        "r100 red s64 up s54 up s44",
        "r100 green s61 right s62 right s63 right s64 up s54 up s44",
        "r100 blue s74 up s64 up s54 up s44",
        "r0 red s64 up s54 up s44",
    )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Returns, signs, floor and actions."""
        floor = (f"s{row}{column}" for row, column in world().cells[: world().n_floor])
        return Tokenizer("symbols", (*RETURNS, *SIGNS, *floor, *ACTIONS))

    @cached_property
    def first(self) -> dict[str, int]:
        """Id of the first token of each kind: "return", "sign", "cell" and "action"."""
        sizes = {"return": len(RETURNS), "sign": len(SIGNS), "cell": world().n_floor, "action": len(ACTIONS)}
        ends = torch.tensor(list(sizes.values())).cumsum(0)
        begins = (ends - torch.tensor(list(sizes.values())) + Tokenizer.n_specials).tolist()
        return dict(zip(sizes, begins, strict=True))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n logged walks, split by a hash of sign, start and actions."""
        return self._batch(draw(n, split, lambda count: _walks(count, self.horizon, generator)))

    def items(self, split: Split = "test") -> Batch | None:
        """The test walks that the metric judges, those of the best return; None for other splits: of all walks."""
        best = belonging(split, _best_walks(self.horizon)) if split == "test" else None
        return None if best is None else self._batch(best)

    def _batch(self, walks: Tensor) -> Batch:
        """(B, 2 + horizon) sign, start and actions."""
        n = len(walks)
        sign, actions = walks[:, 0], walks[:, 2:]
        places = _places(walks)  # (B, horizon + 1)
        going = actions != NOTHING
        returns = _returns(sign, places, going.sum(1))
        tokens = torch.full((n, 2 + 2 * self.horizon), Tokenizer.pad_id)
        targets = torch.full_like(tokens, IGNORE)
        tokens[:, 0], tokens[:, 1] = returns + self.first["return"], sign + self.first["sign"]
        tokens[:, 2::2] = (places[:, :-1] + self.first["cell"]).where(going, Tokenizer.pad_id)
        tokens[:, 3::2] = (actions + self.first["action"]).where(going, Tokenizer.pad_id)
        targets[:, 2::2] = tokens[:, 3::2].where(going, IGNORE)
        tokens[torch.arange(n), 1 + 2 * going.sum(1)] = Tokenizer.pad_id  # nothing depends on the last action
        tokens, targets = tokens[:, :-1], targets[:, :-1]
        return Batch(tokens, targets, tokens != Tokenizer.pad_id)

    def tally(self, logits: Tensor, batch: Batch) -> Tensor:
        """Walks of the best return with good actions only, and all walks of the best return."""
        asked = batch.tokens[:, 0] == self.tokenizer.encode(BEST)[0]
        tokens, scored = batch.tokens[asked], batch.targets[asked] != IGNORE  # (b, T)
        action = logits[asked].argmax(-1) - self.first["action"]
        place = (tokens - self.first["cell"]).where(scored, 0)
        sign = (tokens[:, 1] - self.first["sign"])[:, None].expand_as(place)
        is_action = (action >= 0) & (action < len(ACTIONS))
        good = is_action & world().best()[sign, place, action.where(is_action, 0)]
        right = (good | ~scored).all(1)
        return torch.tensor([float(right.sum()), float(right.numel())], dtype=torch.float64)

    def score(self, tally: Tensor) -> float:
        """Return the share of right walks; 0 if none was to be judged."""
        right, n = tally.tolist()
        return float(right / n) if n else 0.0

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """At the crossing, where the ways part, the sign of the first step is read."""
        signs = range(self.first["sign"], self.first["cell"])
        crossings = [place + self.first["cell"] for place in world().crossings().nonzero()[:, 0].tolist()]
        seen = [key for key, token in enumerate(tokens) if token in signs][:1]
        pairs = (
            (query, key) for query, token in enumerate(tokens) if token in crossings for key in seen if key < query
        )
        return (Pattern.of("sign at the crossing", pairs, tokens),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most frequent action of each place on walks of the best return."""
        test = self.judged(JUDGED, Generator().manual_seed(seed))
        return (Baseline("place alone", self.accuracy(self.place_alone(seed)[test.tokens], test)),)

    def place_alone(self, seed: int = 0) -> Tensor:
        """(V, V) how often each action (column) was taken at each place (row) on training walks of the best return."""
        batch = self.sample(FITTED, Generator().manual_seed(seed))
        asked = (batch.tokens[:, :1] == self.tokenizer.encode(BEST)[0]) & (batch.targets != IGNORE)  # (B, T)
        size = self.tokenizer.vocab_size
        pairs = batch.tokens[asked] * size + batch.targets[asked]
        return pairs.bincount(minlength=size**2).view(size, size).double()

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A return, a sign, and a walk in which each step leads to the next place."""
        floor = {f"s{row}{column}": place for place, (row, column) in enumerate(world().cells[: world().n_floor])}
        begun = len(symbols) > 2 and symbols[0] in RETURNS and symbols[1] in SIGNS
        places, actions = symbols[2::2], symbols[3::2]
        if not begun or not set(places) <= floor.keys() or not set(actions) <= ACTIONS.keys():
            return False
        steps = zip(places, actions, places[1:], strict=False)
        moves = list(ACTIONS)
        return all(int(world().following[floor[a], moves.index(step)]) == floor[b] for a, step, b in steps)

    def model_config(self) -> ModelConfig:
        """Two layers of two heads; the sign is read at the crossing, some steps after it was seen."""
        return self.transformer(1 + 2 * self.horizon)


def _walks(count: int, horizon: int, generator: Generator) -> Tensor:
    """(count, 2 + horizon) sign, start and actions of logged walks, NOTHING after the end."""
    grid = world()
    sign, aim = torch.randint(len(SIGNS), (2, count), generator=generator)  # which goal pays, and which is aimed at
    place = grid.starts[torch.randint(len(grid.starts), (count,), generator=generator)]
    walker = torch.multinomial(CARE[:, 1], count, replacement=True, generator=generator)
    best = grid.best()
    columns = [sign, place]
    for _ in range(horizon):
        astray = torch.rand(count, generator=generator) < CARE[walker, 0]
        allowed = (best[aim, place] | astray[:, None]).float()
        allowed[place >= grid.n_floor] = 1
        action = torch.multinomial(allowed, 1, generator=generator)[:, 0]
        columns.append(action.where(place < grid.n_floor, NOTHING))
        place = grid.following[place, action]
    return torch.stack(columns, 1)


def _best_walks(horizon: int) -> Tensor:
    """(N, 2 + horizon) each shortest walk to the goal that pays, from every start, under every sign."""
    grid = world()
    best = grid.best()
    ends: list[tuple[int, int, int, tuple[int, ...]]] = [
        (sign, start, start, ()) for sign in range(len(SIGNS)) for start in grid.starts.tolist()
    ]
    found: list[list[int]] = []
    while ends:
        sign, start, place, actions = ends.pop(0)
        if place == grid.goal(sign):
            found.append([sign, start, *actions, *[NOTHING] * (horizon - len(actions))])
            continue
        ends += [
            (sign, start, int(grid.following[place, action]), (*actions, action))
            for action in best[sign, place].nonzero()[:, 0].tolist()
        ]
    return torch.tensor(found)


def _places(walks: Tensor) -> Tensor:
    """(B, horizon + 1) where each walk was before each step, and at its end."""
    places = [walks[:, 1]]
    for action in walks[:, 2:].unbind(1):
        places.append(world().following[places[-1], action.clamp(min=0)])  # a goal is left by no action
    return torch.stack(places, 1)


def _returns(sign: Tensor, places: Tensor, steps: Tensor) -> Tensor:
    """(B,) index of each walk's return among RETURNS."""
    shortest = world().distance[sign, places[:, 0]]
    quarters = (4 * shortest // steps).clamp(min=1)  # whole quarters of 1
    return quarters.where(places[:, -1] == world().n_floor + sign, 0)
