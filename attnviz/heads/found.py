"""The heads of a model as they were found: numbers beside chance, labels, and heads that read alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from attnviz.heads.effects import Asked, Effect
from attnviz.heads.reads import DISTANCES, LABELS, READS
from attnviz.heads.tally import Example, Place, SiteTally, Tally

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EFFECT", "HITS", "LEAST", "LIFT", "Head", "Heads", "Label", "Reading", "candidates", "conclude"]

LIFT = 0.4
"""Least lift of a label: (mass - chance) / (1 - chance), 0 for a head that reads at random and 1 for one that reads
nothing else."""
HITS = 0.5
"""Least share of queries whose most attended key is one of the label's."""
LEAST = 30
"""Least number of queries that both are measured on."""
EFFECT = 0.01
"""Least effect in nats of the head alone: of induction the loss on repeated tokens where the model says the next token,
else the divergence of the outputs. Sinks need none: a head that reads nothing of the text may do little."""
SINKS = ("first", "separator")

State = Literal["confirmed", "weak", "unmeasured"]


class Reading(NamedTuple):
    """How much a head reads in one way, means over the texts; nan where no text has a query for it.

    Attributes:
        mass: attention on the keys of the way.
        chance: the same of a head that reads all that it may read alike.
        hits: share of queries whose most attended key is one of them.
        n: queries.
        distance: tokens from query to key, of a positional head; None for other ways.
    """

    mass: float
    chance: float
    hits: float
    n: int
    distance: int | None = None

    @property
    def lift(self) -> float:
        """(mass - chance) / (1 - chance)."""
        return 0.0 if self.chance >= 1 else (self.mass - self.chance) / (1 - self.chance)

    @property
    def stands_out(self) -> bool:
        """Whether lift and hits are past the thresholds, on enough queries."""
        return self.n >= LEAST and self.lift >= LIFT and self.hits >= HITS


class Label(NamedTuple):
    """A way that a head reads in past the thresholds.

    Attributes:
        name: see `attnviz.heads.reads`.
        reading: the numbers.
        effect: effect of the head alone where it reads so; None where it could not be measured.
        state: "confirmed" with an effect past the threshold; "weak" below it: the head reads so, and the model hardly
            misses it alone; "unmeasured" for a model without outputs: what the head does for it is unknown.
    """

    name: str
    reading: Reading
    effect: Effect | None
    state: State


@dataclass(frozen=True)
class Head:
    """One head over all texts.

    Attributes:
        site: name of its site, such as "decoder.0.self".
        head: index in the site.
        place: layer, stack and kind of the site, and the sequences of its queries and keys.
        entropy: mean entropy of its weights, in nats; `entropy_chance` of a head that reads all alike.
        distance: mean distance of what it reads, in tokens; `distance_chance` likewise; nan in cross-attention.
        readings: every way of `LABELS`.
        labels: those past the thresholds, the strongest first.
        examples: texts in which it reads most in the way of its first label, or else elsewhere than at the first token,
            at separators and beside the query.
    """

    site: str
    head: int
    place: Place
    entropy: float
    entropy_chance: float
    distance: float
    distance_chance: float
    readings: Mapping[str, Reading] = field(repr=False)
    labels: tuple[Label, ...] = ()
    examples: tuple[Example, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """Name of its first label whose effect is confirmed; "" without one."""
        return next((label.name for label in self.labels if label.state == "confirmed"), "")

    @property
    def profile(self) -> tuple[float, ...]:
        """The numbers that tell how alike two heads are: all lifts, and entropy and distance by their chance level."""
        lifts = [reading.lift for reading in self.readings.values()]
        rest = [self.entropy / self.entropy_chance, self.distance / self.distance_chance / 2]
        return tuple(0.0 if math.isnan(value) else value for value in (*lifts, *rest))


@dataclass(frozen=True)
class Heads:
    """All heads of a model, in the order in which they run.

    Attributes:
        model: name of the model.
        n_texts, n_tokens: size of the texts.
        texts: labels of the tokens of the texts that are examples, by index and name of the sequence.
    """

    model: str
    n_texts: int
    n_tokens: int
    heads: tuple[Head, ...] = field(repr=False)
    texts: Mapping[int, Mapping[str, tuple[str, ...]]] = field(repr=False)

    def __iter__(self) -> Iterator[Head]:
        return iter(self.heads)

    def __len__(self) -> int:
        return len(self.heads)

    def of(self, site: str, head: int) -> Head:
        """Return one head.

        Raises:
            KeyError: there is no such head.
        """
        for each in self.heads:
            if (each.site, each.head) == (site, head):
                return each
        raise KeyError(f"no head {head} of {site!r} in {self.model}")

    def like(self, site: str, head: int, n: int = 5) -> list[Head]:
        """Return the heads whose numbers are nearest to those of one head, the nearest first: see `Head.profile`."""
        this = self.of(site, head)
        others = [each for each in self.heads if each is not this]
        return sorted(others, key=lambda each: math.dist(each.profile, this.profile))[:n]

    def to_dataframe(self) -> pd.DataFrame:
        """Return a pandas table, a row for each head: lift and hits of every way, entropy, distance, label."""
        import pandas as pd

        rows = []
        for each in self.heads:
            lifts = {name: reading.lift for name, reading in each.readings.items()}
            hits = {f"{name}_hits": reading.hits for name, reading in each.readings.items()}
            measures = {name: getattr(each, name) for name in ("entropy", "entropy_chance", "distance")}
            rows.append({"site": each.site, "head": each.head, "label": each.label, **measures, **lifts, **hits})
        return pd.DataFrame(rows)


def candidates(tally: Tally) -> list[Asked]:
    """Return the heads and ways whose numbers stand out, of which the effect is asked."""
    return [
        Asked(name, head, way)
        for name, site in tally.sites.items()
        for head in range(len(site.entropy))
        for way, _, _ in _standing_out(_readings(site, head))
    ]


def conclude(model: str, tally: Tally, effects: Mapping[Asked, Effect], measurable: bool) -> Heads:
    """Return the heads of a model.

    Args:
        tally: counts over all texts.
        effects: what was measured of `candidates`.
        measurable: whether the model has outputs that an effect can be told by.
    """
    tally.keep_examples()
    heads = [
        _head(name, tally.places[name], site, head, effects, measurable)
        for name, site in tally.sites.items()
        for head in range(len(site.entropy))
    ]
    used = {example.text for head in heads for example in head.examples}
    texts = {text: labels for text, labels in tally.labels.items() if text in used}
    return Heads(model, tally.n_texts, tally.n_tokens, tuple(heads), texts)


def _head(
    name: str, place: Place, site: SiteTally, head: int, effects: Mapping[Asked, Effect], measurable: bool
) -> Head:
    found = _readings(site, head)
    out = _standing_out(found)
    labels = tuple(
        _label(label, reading, effects.get(Asked(name, head, way)), measurable) for way, label, reading in out
    )
    labels = tuple(sorted(labels, key=lambda label: label.state != "confirmed"))
    first = next((way for way, label, _ in out if labels and label == labels[0].name), "elsewhere")
    n = max(float(site.queries), 1.0)
    of_site = site.even[1] > 0  # cross-attention has no distance
    distances = (float(site.distance[head]) / n, float(site.even[1]) / n) if of_site else (math.nan, math.nan)
    entropies = (float(site.entropy[head]) / n, float(site.even[0]) / n)
    readings = {label: reading for label, (_, reading) in found.items()}
    examples = tuple(site.examples(first, head))
    return Head(name, head, place, *entropies, *distances, readings, labels, examples)


def _label(name: str, reading: Reading, effect: Effect | None, measurable: bool) -> Label:
    if not measurable:
        return Label(name, reading, None, "unmeasured")
    if effect is None:
        return Label(name, reading, None, "weak")
    return Label(name, reading, effect, "confirmed" if name in SINKS or effect.nats >= EFFECT else "weak")


def _readings(site: SiteTally, head: int) -> dict[str, tuple[str, Reading]]:
    """Return the reading of each label, and the way of `READS` that it is of."""
    found = {way: (way, _reading(site, head, way)) for way in LABELS if way in READS}
    common = {way: _reading(site, head, way, at) for way, at in DISTANCES.items() if _common(site, way)}
    way = max(common, key=lambda way: common[way].hits, default="-2")
    return {**found, "positional": (way, common.get(way, _reading(site, head, way, DISTANCES[way])))}


def _common(site: SiteTally, way: str) -> bool:
    """Whether at least half of all queries have a key at a distance: others tell little of a head."""
    return bool(site.n[READS.index(way)] >= site.queries / 2)


def _reading(site: SiteTally, head: int, way: str, distance: int | None = None) -> Reading:
    at = READS.index(way)
    n = float(site.n[at])
    sums = (float(site.mass[at, head]), float(site.chance[at]), float(site.hits[at, head]))
    mass, chance, hits = (total / n if n else math.nan for total in sums)
    return Reading(mass, chance, hits, round(n), distance)


def _standing_out(found: Mapping[str, tuple[str, Reading]]) -> list[tuple[str, str, Reading]]:
    """Return way, label and reading of those past the thresholds, the strongest first."""
    out = [(way, label, reading) for label, (way, reading) in found.items() if reading.stands_out]
    return sorted(out, key=lambda each: -each[2].lift)
