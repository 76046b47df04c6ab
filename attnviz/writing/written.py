"""A text that a model wrote, step by step: what it could have written instead, and all that its attention computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from attnviz.errors import NoSuchPosition
from attnviz.trace.model_trace import Trace
from attnviz.writing.plan import Plan

__all__ = ["Beam", "Candidate", "Step", "Written", "written"]


class Candidate(NamedTuple):
    """A token that could come next.

    Attributes:
        token: its id.
        probabilities: its probability after each of the step's `stages`.
    """

    token: int
    probabilities: tuple[float, ...]


class Step(NamedTuple):
    """One token that was written, and what was considered.

    Attributes:
        token: its id.
        stages: "model", then what changed its distribution: "rules" (those of the model's own generation
            configuration), "temperature", "top_k", "top_p".
        candidates: the most probable tokens, by the last stage and then by the model, and the one that was written.
        kept: tokens that may still be written after each stage.
        number: the number from 0 to 1 that was drawn; None where nothing was.
        choice: the token that the strategy would have written; another one than `token` where somebody took that.
    """

    token: int
    stages: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    kept: tuple[int, ...]
    number: float | None
    choice: int

    @property
    def taken(self) -> bool:
        """Whether another token was taken than the strategy's own."""
        return self.token != self.choice


class Beam(NamedTuple):
    """One continuation at one step of a beam search, a node of its tree.

    Attributes:
        parent: index of the beam of the step before that it continues; 0 at the first step.
        token: id of the token that it adds.
        score: sum of the log-probabilities of its tokens; once it ended, divided by its length as the search has it.
        ended: it ends here, and is compared with the others that ended.
    """

    parent: int
    token: int
    score: float
    ended: bool = False


@dataclass(frozen=True, eq=False)
class Written(Trace):
    """A trace of what a model read and wrote; its last token was written, not read, so it asks nothing.

    Attributes:
        plan: how it was written.
        prompt: the text that the model began with: its chat template's, where it has one; of an encoder-decoder the
            beginning of the target that was given.
        continuation: what it wrote, as text.
        whole: the text with what was written after it; of an encoder-decoder its target, after a chat template the
            continuation alone.
        steps: one for each token that it wrote.
        beams: of a beam search, for each step the beams that go on and those that ended; () without one.
        path: which of its beams each written token is; () without a search.
        ended: whether it ended the text itself; else it wrote as many tokens as it was allowed.
        templated: the prompt is a chat template with the text in it.
        doubled: the token that stands twice at the beginning of what it read; "" where none does.
        unreached: edits whose positions the text never reached, in words.
    """

    plan: Plan = field(default_factory=Plan)
    prompt: str = ""
    continuation: str = ""
    whole: str = ""
    steps: tuple[Step, ...] = field(default=(), repr=False)
    beams: tuple[tuple[Beam, ...], ...] = field(default=(), repr=False)
    path: tuple[int, ...] = field(default=(), repr=False)
    ended: bool = False
    templated: bool = False
    doubled: str = ""
    unreached: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """Position of the query that the first token was predicted at; each later one is predicted one further."""
        return len(self.tokens) - len(self.steps)

    def label(self, token: int) -> str:
        """Return a token as people read it."""
        assert self.outputs is not None  # it writes
        return self.outputs.label(token)

    def take(self, step: int, token: int) -> Plan:
        """Return the plan that goes back to a step, takes another token there, and writes on.

        Raises:
            NoSuchPosition: there is no such step.
        """
        if not 0 <= step < len(self.steps):
            raise NoSuchPosition(self.model.facts.name, step, len(self.steps) - 1)
        taken = (*(one.token for one in self.steps[:step]), token)
        return Plan(**{**_values(self.plan), "taken": taken})


def written(trace: Trace, **more: Any) -> Written:
    """Return a trace with what is known of how its text was written."""
    return Written(**_values(trace), **more)


def _values(of: Any) -> Mapping[str, Any]:
    return {each.name: getattr(of, each.name) for each in fields(of)}
