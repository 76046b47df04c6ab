"""Content of an application: a trained model, its input, and the right answer if it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast

from torch import Generator

from attnviz.analysis import HeadScore, mean_scores
from attnviz.analysis.scores import score_interval
from attnviz.analysis.telling import by_pattern
from attnviz.errors import RunError
from attnviz.loading import is_checkpoint, open_checkpoint
from attnviz.models import SequenceModel
from attnviz.server.listing import Listed
from attnviz.server.opening import open_model
from attnviz.server.traces import Held
from attnviz.tasks import Baseline, Batch, Task
from attnviz.trace import AttentionSite, Trace
from attnviz.training import RECIPES, Evaluation, evaluate
from attnviz.training.run.probe import sequences
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.frame.language import say
from attnviz.ui.frame.widgets import select

__all__ = [
    "FULL",
    "N_EXAMPLES",
    "N_JUDGED",
    "SEED",
    "Case",
    "Judged",
    "baselines",
    "choose_head",
    "choose_query",
    "examples",
    "first_head",
    "head_scores",
    "judged",
    "judged_on",
    "opened",
    "patterns",
    "recipe_of",
    "result",
    "task_of",
]

N_EXAMPLES = 64  # of test data that people can leaf through
N_JUDGED = 512  # on which a run's model is judged
N_SCORED = 16  # on which its heads are scored
FULL = 7  # of an example that shows all, see `first_example`
SEED = 20_011  # of all three: data that nothing else uses


class Judged(NamedTuple):
    """Score of a model on test data.

    Attributes:
        score: the task's metric on test data.
        n: sequences that it was computed on.
        interval: 95 % interval of the score, where it has one.
        whole: these are all test sequences there are.
    """

    score: float
    n: int
    interval: tuple[float, float] | None
    whole: bool


@dataclass(frozen=True, eq=False)
class Case:
    """A model at work on one input.

    Attributes:
        listed: the model as it is listed.
        held: the forward pass, as the server holds it.
        row: the same input with its right answers, a batch of one; None for an input of one's own.
    """

    listed: Listed
    model: SequenceModel
    task: Task
    held: Held
    row: Batch | None

    @property
    def trace(self) -> Trace:
        """The forward pass."""
        return self.held.trace

    @property
    def tokens(self) -> tuple[str, ...]:
        """Labels of what the model reads (the decoder of an encoder-decoder)."""
        return self.trace.tokens

    def expected(self, query: int) -> set[int]:
        """Return the places that a token should read in self-attention, as far as it is known."""
        patterns = self.task.expected(self.trace.token_ids)
        return {key for pattern in patterns for key in pattern.reads[query].nonzero().flatten().tolist()}


def recipe_of(name: str) -> str:
    """Return the recipe behind a model of the zoo or a run; "" where a run has none, or is gone."""
    if not is_checkpoint(name):
        return name
    try:
        return open_checkpoint(name)[0].config.recipe
    except RunError:  # it was deleted a moment ago
        return ""


def task_of(listed: Listed) -> Task:
    """Return the task that a model of the zoo or a run learned.

    Raises:
        RunNotFound, RunCorrupt: of a run that is gone.
    """
    if is_checkpoint(listed.name):
        return open_checkpoint(listed.name)[0].config.task
    return RECIPES[listed.name].task


@lru_cache(64)
def examples(task: Task) -> tuple[Batch, ...]:
    """Some of the task's test data, each a batch of one without padding."""
    generator = Generator().manual_seed(SEED)
    items = task.items("test")
    few = items is not None and len(items.tokens) < N_EXAMPLES  # then each once
    draw = task.held_out if few else task.sample
    return tuple(sequences(draw(N_EXAMPLES, generator, "test"), N_EXAMPLES))


def opened(listed: Listed) -> SequenceModel:
    """Return the model with its weights."""
    return cast(SequenceModel, open_model(listed.name, listed.version))


@lru_cache(64)
def judged(listed: Listed) -> Judged:
    """Return the score of a model on test data; of a shipped one, the score on its card."""
    card, task = opened(listed).card, task_of(listed)
    whole = task.items() is not None
    if card.judged:
        return Judged(card.score, card.judged, card.interval, whole)
    found = result(listed)
    return Judged(found.score(task.metric), found.n, score_interval(task.metric, found), whole)


def judged_on(listed: Listed) -> tuple[int, int]:
    """Return the number of test sequences a model is judged on, and the seed that draws them, for all of its scores.

    With the same two, `evaluate`, `Task.batches` and `Task.baselines` speak of the same data.
    """
    if is_checkpoint(listed.name):
        return N_JUDGED, SEED
    recipe = RECIPES[listed.name]
    return recipe.test_size, recipe.seed


@lru_cache(16)
def result(listed: Listed) -> Evaluation:
    """Evaluate a model on its test sequences."""
    return evaluate(opened(listed).network, task_of(listed), "test", *judged_on(listed))


@lru_cache(64)
def baselines(listed: Listed) -> tuple[Baseline, ...]:
    """Return the scores reached without a network, computed now where the model's card has none."""
    said = opened(listed).card.baselines
    return tuple(Baseline(*each) for each in said) or task_of(listed).baselines(judged_on(listed)[1])


@lru_cache(64)
def head_scores(listed: Listed) -> tuple[HeadScore, ...]:
    """Return the scores of every head for each expected pattern, on test data."""
    return mean_scores(opened(listed), task_of(listed), N_SCORED, SEED)


@lru_cache(64)
def patterns(listed: Listed) -> list[HeadScore]:
    """Return the best head of each expected pattern, on test data."""
    best: dict[str, HeadScore] = {}
    for score in head_scores(listed):
        best[score.pattern] = max(score, best.get(score.pattern, score), key=lambda head: head.mass)
    return list(best.values())


def first_head(case: Case, kind: str | None = None, stack: str | None = None) -> tuple[AttentionSite, int, int]:
    """Return a head to begin with, and the query that shows best what it does.

    It is the head that reads what is expected here, else the one that does so on other test data, else the last one.
    """
    trace = case.trace
    sites = {s.name: s for s in trace.sites if kind in (None, s.kind) and stack in (None, s.queries)}
    found = by_pattern(trace, case.task.expected(trace.token_ids, trace.source_ids))
    if found is not None and trace.sites[found.site].name in sites:
        return trace.sites[found.site], found.head, found.query
    known = [(score.site, score.head) for score in patterns(case.listed) if score.site in sites]
    name, head = known[0] if known else (list(sites)[-1], sites[list(sites)[-1]].n_heads - 1)
    return sites[name], head, sites[name].q.shape[1] - 1


def choose_head(case: Case, kind: str | None = None, stack: str | None = None) -> tuple[AttentionSite, int]:
    """A control for one head among those of a kind and a stack, at first `first_head`.

    Raises:
        ValueError: the model has no such attention.
    """
    sites = [s for s in case.trace.sites if kind in (None, s.kind) and stack in (None, s.queries)]
    titles = {
        f"{site.name}/{head}": say(f"applications.head.{site.queries}.{site.kind}", layer=site.layer, head=head)
        for site in sites
        for head in range(site.n_heads)
    }
    if not titles:
        raise ValueError("the model has no such attention")
    if ApplicationsState.head.value not in titles:
        first, number, _ = first_head(case, kind, stack)
        ApplicationsState.head.value = f"{first.name}/{number}"
    name, head = select(say("applications.head"), ApplicationsState.head, titles, width=320).rsplit("/", 1)
    return case.trace.site(name), int(head)


def choose_query(label: str, titles: Mapping[int, str], first: int) -> int:
    """Choose the position that is looked at, at first `first`."""
    ApplicationsState.query.hold(titles, first)
    return select(label, ApplicationsState.query, titles, width=320)
