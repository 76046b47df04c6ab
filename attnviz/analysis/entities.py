"""Scores of named entities: precision, recall, F1 and support of each type, and three averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnviz.tasks.language.bio import spans

__all__ = ["EntityReport", "EntityScore", "entity_report"]

AVERAGES = ("micro", "macro", "weighted")


class EntityScore(NamedTuple):
    """Scores of one type of entity, or an average over types.

    Attributes:
        name: name of the type, or "micro", "macro" or "weighted".
        precision: share of the entities found that are right, 0 to 1; 0 where none was found.
        recall: share of the true entities that were found, 0 to 1; 0 where there is none.
        f1: 2 precision recall / (precision + recall), 0 where both are 0.
        support: true entities.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


class EntityReport(NamedTuple):
    """Scores of some sentences.

    Attributes:
        types: a score for each type, in alphabetical order.
        micro: all entities alike, of whatever type.
        macro: the mean over types, each type alike.
        weighted: the mean over types, each as heavy as its support.
    """

    types: tuple[EntityScore, ...]
    micro: EntityScore
    macro: EntityScore
    weighted: EntityScore

    @property
    def averages(self) -> tuple[EntityScore, ...]:
        """The three averages."""
        return (self.micro, self.macro, self.weighted)


def entity_report(
    true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], types: Sequence[str] = ()
) -> EntityReport:
    """Compare entities: one counts as found where its first token, its last token and its type are right.

    Precision P = tp / found, recall R = tp / true, F1 = 2 P R / (P + R). scikit-learn computes them and their averages
    from two tables of 0 and 1 with a row for each span of tokens that is an entity in either, and a column for each
    type.

    Args:
        true: BIO tags of each sentence; see `attnviz.tasks.language.bio.spans` for what they say.
        predicted: as many of each.
        types: types to report on even where no entity is of them; types that occur are always reported.

    Raises:
        ValueError: sentences or tags do not match in number, or there is no type at all.

    Example:
        >>> report = entity_report([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-PER"]])
        >>> report.types
        (EntityScore(name='LOC', precision=0.0, recall=0.0, f1=0.0, support=1), \
EntityScore(name='PER', precision=0.5, recall=1.0, f1=0.6666666666666666, support=1))
        >>> report.micro
        EntityScore(name='micro', precision=0.5, recall=0.5, f1=0.5, support=2)

    Source:
        Entities as wholes: Tjong Kim Sang and De Meulder 2003; averages: scikit-learn,
        `precision_recall_fscore_support`.
    """
    from sklearn.metrics import precision_recall_fscore_support

    found = [_entities(sentences) for sentences in (true, predicted)]
    if [len(tags) for tags in true] != [len(tags) for tags in predicted]:
        raise ValueError("the sentences of both sides must have the same tokens")
    names = sorted({kind for _, kind in found[0] | found[1]} | set(types))
    if not names:
        raise ValueError("there is no entity, and no type to report on")
    rows = {place: row for row, place in enumerate(sorted({place for place, _ in found[0] | found[1]}))}
    tables = [_table(entities, rows, names) for entities in found]

    def scores(average: str | None) -> Any:
        """Return the precision, recall, F1 and support, of each type or, without the support, of all."""
        return precision_recall_fscore_support(*tables, labels=range(len(names)), average=average, zero_division=0.0)

    columns = (column.tolist() for column in scores(None))
    of_types = tuple(EntityScore(*values) for values in zip(names, *columns, strict=True))
    support = sum(score.support for score in of_types)
    averages = [EntityScore(*(name, *scores(name)[:3], support)) for name in AVERAGES]
    return EntityReport(of_types, *averages)


Place = tuple[int, int, int]  # sentence, first token, token after the last


def _entities(sentences: Sequence[Sequence[str]]) -> set[tuple[Place, str]]:
    return {((i, span.start, span.end), span.type) for i, tags in enumerate(sentences) for span in spans(tags)}


def _table(entities: set[tuple[Place, str]], rows: dict[Place, int], names: list[str]) -> NDArray[np.int8]:
    """(places, types + 1): 1 where an entity of the type lies.

    The last column stays empty: without it, scikit-learn takes the table of a single type for one of two classes. One
    empty row stands in where there are no places.
    """
    table = np.zeros((max(1, len(rows)), len(names) + 1), dtype=np.int8)
    for place, kind in entities:
        table[rows[place], names.index(kind)] = 1
    return table
