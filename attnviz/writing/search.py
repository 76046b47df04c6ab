"""Strategies of writing: which token comes next, or which continuations are searched, given a model's scores.

A search is told the model's scores at each step and answers which rows go on with which tokens; what runs the model
need not know how that is decided.

Shape legend
    n  rows, one for each continuation    V  outputs
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.errors import PlanMisfit
from attnviz.errors.base import Why
from attnviz.writing.filters import draw, with_temperature, with_top_k, with_top_p
from attnviz.writing.plan import Plan
from attnviz.writing.written import Beam, Candidate, Step

__all__ = ["Move", "Rules", "Scoring", "Search", "search"]

SHOWN = 10  # candidates of a step
NEVER = -1e9  # score of what is no continuation
FORBIDDEN = -1e3  # log-probability of a token that is taken though the model's rules forbid it

Rules = Callable[[Tensor], Tensor]
"""Changes scores (n, V) as a model's own configuration says: there may be tokens that it must never write."""


class Move(NamedTuple):
    """How the rows go on: each one of the next rows continues a row of `parents` with a token."""

    parents: list[int]
    tokens: list[int]


class Scoring(NamedTuple):
    """How a beam search compares continuations that ended.

    Attributes:
        length_penalty: their score is divided by their length to the power of it.
        early_stopping: True: stop as soon as there are enough that ended; False: as soon as the best running one,
            at its length, is no better; "never": as soon as none could become better.
    """

    length_penalty: float = 1.0
    early_stopping: bool | str = False


class Search:
    """Greedy writing and sampling: one row, one token at a time.

    Args:
        plan: how to write.
        ends: tokens that end a text.
        room: tokens that fit.

    Attributes:
        tokens: ids of the text.
        steps: each token with what was considered.
        rows: the row that each of its tokens was chosen in.
        done: whether there is nothing more to write.
        ended: whether the text has an end of its own.
    """

    n_rows = 1

    def __init__(self, plan: Plan, ends: Collection[int], room: int) -> None:
        self.plan, self.ends = plan, frozenset(ends)
        self.most = min(plan.max_new, room)
        generator = torch.Generator().manual_seed(plan.seed)
        self.numbers: list[float] = torch.rand(self.most, generator=generator, dtype=torch.float64).tolist()
        self.tokens: list[int] = []
        self.steps: list[Step] = []
        self.rows: list[int] = []
        self.done = self.ended = False

    @property
    def beams(self) -> list[tuple[Beam, ...]]:
        """Its tree; empty without one."""
        return []

    @property
    def path(self) -> list[int]:
        """Which of the beams of its step each token is; empty without a tree."""
        return []

    def move(self, logits: Tensor, rules: Rules) -> Move:
        """Choose what comes next, given the model's scores (n, V); once `done`, the answer is of no use."""
        step = self._consider(logits[0], rules(logits)[0])
        self.steps.append(step)
        self.tokens.append(step.token)
        self.rows.append(0)
        self.ended = step.token in self.ends
        self.done = self.ended or len(self.tokens) == self.most
        return Move([0], [step.token])

    def _consider(self, model: Tensor, ruled: Tensor) -> Step:
        """Return the next step, given a row of scores (V,) before and after the model's own rules."""
        plan, at, stages = self.plan, len(self.tokens), {"model": model}
        if not torch.equal(model, ruled):
            stages["rules"] = ruled
        number = None
        if plan.strategy == "sample":
            scores, number = ruled, self.numbers[at]
            if plan.temperature != 1:
                stages["temperature"] = scores = with_temperature(scores, plan.temperature)
            if plan.top_k is not None:
                stages["top_k"] = scores = with_top_k(scores, plan.top_k)
            if plan.top_p is not None:
                stages["top_p"] = scores = with_top_p(scores, plan.top_p)
            choice = draw(scores.softmax(-1), number)
        else:
            choice = int(ruled.argmax())
        return step_of(stages, number, self._taken(at, len(model), choice), choice)

    def _taken(self, at: int, n: int, choice: int) -> int:
        if at >= len(self.plan.taken):
            return choice
        if self.plan.taken[at] >= n:
            raise PlanMisfit("taken", Why("plan-no-token", given=self.plan.taken[at], last=n - 1))
        return self.plan.taken[at]


class _Ended(NamedTuple):
    """A continuation that ended: its score, tokens and the rows that they were chosen in."""

    score: float
    tokens: list[int]
    rows: list[int]


class BeamSearch(Search):
    """Beam search: of all continuations of all beams those with the highest sums of log-probabilities go on.

    Source:
        Sutskever et al. 2014, "Sequence to Sequence Learning with Neural Networks", section 3.2; the division by the
        length: Wu et al. 2016, "Google's Neural Machine Translation System", section 7, here to a plain power.
    """

    def __init__(self, plan: Plan, ends: Collection[int], room: int, scoring: Scoring) -> None:
        super().__init__(plan, ends, room)
        self.scoring = scoring
        self.n_rows = n = plan.beams
        self._scores = torch.tensor([0.0, *[NEVER] * (n - 1)])  # (n,) so that the first step searches one row alone
        self._running: list[tuple[list[int], list[int]]] = [([], [])] * n  # tokens and rows of each beam
        self._ended: list[_Ended] = []  # the best first
        self._improves = True
        self._considered: list[list[Step]] = []  # what each row of each step considered
        self._tree: list[tuple[Beam, ...]] = []

    @property
    def beams(self) -> list[tuple[Beam, ...]]:
        """For each step the beams that go on, in the order of their rows, then those that ended."""
        return self._tree

    @property
    def path(self) -> list[int]:
        """Which of the beams of its step each token is; one that goes on stands where its row does."""
        ends = self._tree[len(self.tokens) - 1]
        last = next(i for i, beam in enumerate(ends) if beam.ended and beam[:2] == (self.rows[-1], self.tokens[-1]))
        return [*self.rows[1:], last]

    def move(self, logits: Tensor, rules: Rules) -> Move:
        """See `Search.move`."""
        n, at = self.n_rows, len(self._tree)
        model = logits.log_softmax(-1)
        ruled = rules(model)  # (n, V)
        totals = (self._allowed(ruled) + self._scores.to(ruled)[:, None]).flatten()
        best, index = totals.topk(min(max(2, 1 + len(self.ends)) * n, len(totals)))
        parents = (index // logits.shape[-1]).tolist()
        tokens = (index % logits.shape[-1]).tolist()
        self._considered.append([self._look(model, ruled, row, parents, tokens) for row in range(n)])
        last = at + 1 == self.most
        stops = [token in self.ends or last for token in tokens]
        ended = self._collect(best[:n], parents, tokens, stops)
        onward = (best.float() + torch.tensor(stops, device=best.device) * NEVER).topk(n).indices.tolist()
        scores = [float(best[i]) + stops[i] * NEVER for i in onward]
        running = [Beam(parents[i], tokens[i], float(best[i])) for i in onward if not stops[i]]
        self._running = [self._longer(parents[i], tokens[i]) for i in onward]
        self._scores = torch.tensor(scores, dtype=torch.float32)
        self._tree.append((*(beam for beam in running if beam.score > NEVER / 2), *ended))
        if self._is_over(all(stops)):
            self._finish()
        return Move([parents[i] for i in onward], [tokens[i] for i in onward])

    def _allowed(self, ruled: Tensor) -> Tensor:
        """Return scores (n, V) in which every row goes on with the token that is taken here, if one is."""
        at = len(self._tree)
        if at >= len(self.plan.taken):
            return ruled
        token = self._taken(at, ruled.shape[-1], 0)
        allowed = torch.full_like(ruled, float("-inf"))
        allowed[:, token] = ruled[:, token].clamp(min=FORBIDDEN)
        return allowed

    def _look(self, model: Tensor, ruled: Tensor, row: int, parents: Sequence[int], tokens: Sequence[int]) -> Step:
        """Return what was considered in a row, with all tokens that it may go on with."""
        stages = {"model": model[row], "rules": ruled[row]}
        if torch.equal(stages["model"], stages["rules"]):
            del stages["rules"]
        searched = [token for parent, token in zip(parents, tokens, strict=True) if parent == row]
        choice = int(ruled[row].argmax())
        return step_of(stages, None, choice, choice, *searched)

    def _longer(self, parent: int, token: int) -> tuple[list[int], list[int]]:
        tokens, rows = self._running[parent]
        return [*tokens, token], [*rows, parent]

    def _collect(
        self, best: Tensor, parents: Sequence[int], tokens: Sequence[int], stops: Sequence[bool]
    ) -> list[Beam]:
        """Add those among the n best continuations that end here to the best that ended; return them."""
        length, full = len(self._tree) + 1, len(self._ended) == self.n_rows
        found = []
        for i, score in enumerate((best.float() / length**self.scoring.length_penalty).tolist()):
            if stops[i] and float(best[i]) > NEVER / 2:
                found.append(Beam(parents[i], tokens[i], score, ended=True))
                if self._improves and not (full and self.scoring.early_stopping is True):
                    self._ended.append(_Ended(score, *self._longer(parents[i], tokens[i])))
        self._ended = sorted(self._ended, key=lambda one: -one.score)[: self.n_rows]
        return found

    def _is_over(self, all_stop: bool) -> bool:
        length, penalty = len(self._tree), self.scoring.length_penalty
        if self.scoring.early_stopping == "never" and penalty > 0:
            length = self.most
        full = len(self._ended) == self.n_rows
        worst = self._ended[-1].score if full else NEVER
        self._improves = self._improves and float(self._scores[0] / length**penalty) > worst
        return all_stop or not self._improves or (full and self.scoring.early_stopping is True)

    def _finish(self) -> None:
        best = self._ended[0]
        self.tokens, self.rows, self.done = best.tokens, best.rows, True
        self.ended = best.tokens[-1] in self.ends
        chosen = enumerate(zip(self.rows, self.tokens, strict=True))
        self.steps = [self._considered[at][row]._replace(token=token, choice=token) for at, (row, token) in chosen]


def search(plan: Plan, ends: Collection[int], room: int, scoring: Scoring | None = None) -> Search:
    """Return the search that a plan asks for."""
    if plan.strategy == "beam":
        return BeamSearch(plan, ends, room, scoring or Scoring())
    return Search(plan, ends, room)


def step_of(stages: dict[str, Tensor], number: float | None, token: int, choice: int, *others: int) -> Step:
    """Return a step, given scores (V,) after each stage; the tokens named are among its candidates."""
    probabilities = [scores.float().softmax(-1) for scores in stages.values()]
    shown = [*_best(probabilities[-1]), *(_best(probabilities[0]) if len(probabilities) > 1 else [])]
    shown = list(dict.fromkeys([*shown, token, choice, *others]))
    table = torch.stack([each[shown] for each in probabilities], dim=1).tolist()  # (shown, stages)
    kept = tuple(int((scores > NEVER).count_nonzero()) for scores in stages.values())
    candidates = tuple(Candidate(index, tuple(row)) for index, row in zip(shown, table, strict=True))
    return Step(token, tuple(stages), candidates, kept, number, choice)


def _best(probabilities: Tensor) -> list[int]:
    top = probabilities.topk(min(SHOWN, len(probabilities)))
    return [token for token, p in zip(top.indices.tolist(), top.values.tolist(), strict=True) if p > 0]
