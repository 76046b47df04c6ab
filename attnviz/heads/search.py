"""Search texts for a token, and tell where one head reads it most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from attnviz.heads.find import Progress, corpus_of, take
from attnviz.trace import AttentionSite, Trace

if TYPE_CHECKING:
    from attnviz.heads.find import Model

__all__ = ["TokenRead", "TokenReads", "reads_of"]

MOST = 20


class TokenRead(NamedTuple):
    """A place where a token stands, and the query that reads it most there.

    Attributes:
        text: index of the text.
        query, key: positions of both.
        weight: how much of its attention the query gives to it.
    """

    text: int
    query: int
    key: int
    weight: float


@dataclass
class TokenReads:
    """Where a head reads a token most.

    Attributes:
        token: what was looked for.
        site, head: the head.
        n_texts: texts that were read.
        n_places: places in them where the token stands and some query has a choice to read it or not.
        places: those that are read most, the most read first.
        labels: labels of the queries' and of the keys' tokens, by the index of the text.
    """

    token: str
    site: str
    head: int
    n_texts: int = 0
    n_places: int = 0
    places: list[TokenRead] = field(default_factory=list)
    labels: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict, repr=False)

    def read(self, trace: Trace, text: int, most: int = MOST) -> None:
        """Look at another text, and keep the `most` places.

        Raises:
            KeyError: there is no such head.
        """
        sites = [site for site in trace.sites if site.name.partition(".w")[0] == self.site]
        if not sites or not 0 <= self.head < sites[0].n_heads:
            raise KeyError(f"no head {self.head} of {self.site!r} in {trace.model.facts.name}")
        self.n_texts += 1
        for site in sites:
            keys = trace.sequences[site.keys].labels
            at = [index for index, label in enumerate(keys) if _is_same(label, self.token)]
            found = _strongest(site, self.head, at, text) if at else []
            self.n_places += len(found)
            self.places = sorted([*self.places, *found], key=lambda place: -place.weight)[:most]
            self.labels[text] = (trace.sequences[site.queries].labels, keys)
        used = {place.text for place in self.places}
        self.labels = {index: labels for index, labels in self.labels.items() if index in used}


def reads_of(
    model: Model | nn.Module,
    token: str,
    site: str,
    head: int,
    texts: Iterable[str | tuple[str, str | None]] | None = None,
    *,
    most: int = MOST,
    seed: int = 0,
    progress: Progress | None = None,
    tokenizer: Any = None,
) -> TokenReads:
    """Search texts for a token, and tell where one head reads it most.

    Queries that may read one key alone are left out.

    >>> import attnviz
    >>> found = reads_of(attnviz.load_model("zoo/induction"), "b", "decoder.1.self", 0, ["a b c a b c a"])
    >>> [(place.query, place.key) for place in found.places if place.weight > 0.5]
    [(3, 1)]

    Args:
        token: as its label shows it; spaces around it do not matter.
        site: name of the site, such as "decoder.1.self".
        most: places that are told.
        model, texts, seed, progress, tokenizer: see `find_heads`.

    Raises:
        NoTexts, TextRefused: see `find_heads`.
        KeyError: there is no such head.
    """
    model, chosen = corpus_of(model, texts, seed, tokenizer)
    found = TokenReads(token, site, head)
    for index, text in enumerate(chosen):
        if progress is not None:
            progress(index, len(chosen))
        found.read(take(model, text, index), index, most)
    return found


def _is_same(label: str, token: str) -> bool:
    return label == token or (token.strip() != "" and label.strip(" ▁Ġ") == token.strip(" ▁Ġ"))


def _strongest(site: AttentionSite, head: int, at: list[int], text: int) -> list[TokenRead]:
    """Return each place that some query may read, with the query that reads it most."""
    allowed = site.mask.allowed(site.q.shape[1], site.k.shape[1], site.q.device)  # (Tq, Tk)
    allowed = (allowed & (allowed.sum(1) > 1)[:, None])[:, at]
    weights = site.weights(head)[:, at].float().masked_fill(~allowed, -1.0)
    best, queries = (each.tolist() for each in torch.max(weights, 0))
    return [
        TokenRead(text, query, key, weight) for query, key, weight in zip(queries, at, best, strict=True) if weight >= 0
    ]
