"""Digits: which patches of a picture are read, and whether that is what the answer hangs on."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from statistics import fmean
from typing import NamedTuple, cast

import streamlit as st
import torch
from torch import Tensor

from attnviz.analysis.deletion import Deletion, by_amount, by_attention, delete, random_orders
from attnviz.figures.deletion import deletion
from attnviz.figures.digits import heads, picture, probabilities
from attnviz.figures.look import short
from attnviz.models import Network
from attnviz.server.listing import Listed
from attnviz.tasks import Digits
from attnviz.trace import AttentionSite
from attnviz.training.run.probe import attention_weights
from attnviz.ui.applications.answer import answer
from attnviz.ui.applications.answer import probabilities as shares_of
from attnviz.ui.applications.case import Case, choose_head, examples, opened, task_of
from attnviz.ui.frame.charts import PICTURE, theme
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.markdown import table

__all__ = ["view"]

ORDERS = 40  # random ones
EDGE = 0.1  # of the random orders lie below their band, as many above
AVERAGED = 32  # pictures


class Areas(NamedTuple):
    """Areas under deletion curves: of a head's order, of the most ink first, and of random orders.

    Attributes:
        head: None: there is no attention.
        random: their mean.
        lowest: lower edge of the band of random orders.
        empty: probability of the answer when all is erased.
    """

    head: float | None
    ink: float
    random: float
    lowest: float
    empty: float


def view(case: Case) -> None:
    """The picture under attention, all heads, ten probabilities, and what is left of one while patches are erased."""
    task = cast(Digits, case.task)
    tokens = task.tokenizer
    needed, given = prod(tokens.grid), len(case.tokens) - 1
    if given != needed:
        st.info(say("applications.digits.patches", needed=needed, given=given))
        return
    answer(case)
    features = tokens.features(case.trace.text)
    pixels = tokens.picture(features)
    chosen = choose_head(case) if case.trace.sites else None
    left, right = st.columns(2, gap="small")
    with left:
        _picture(case, pixels, chosen)
    with right:
        if chosen is None:
            st.info(say("applications.no_attention"))
        else:
            st.caption(say("applications.digits.all"))
            _heads(case, pixels, chosen)
    _deletion(case, features, chosen)


def _map(site: AttentionSite, head: int, grid: tuple[int, ...]) -> Tensor:
    """(rows, columns): what the only query, or `<bos>`, reads of the patches, which are the last keys."""
    return site.weights(head)[0, -prod(grid) :].reshape(grid)


def _maps(case: Case) -> list[list[Tensor]]:
    """Return the weights over the patches, by site and head."""
    grid = cast(Digits, case.task).tokenizer.grid
    return [[_map(site, head, grid) for head in range(site.n_heads)] for site in case.trace.sites]


def _limit(case: Case) -> float:
    """Return the greatest weight on any patch: the same colour is the same weight in all maps."""
    return max(float(weights.max()) for row in _maps(case) for weights in row)


def _picture(case: Case, pixels: Tensor, chosen: tuple[AttentionSite, int] | None) -> None:
    if chosen is None:
        figure = picture(pixels, None, 1.0, theme(), current())
    else:
        site, head = chosen
        weights = _map(site, head, cast(Digits, case.task).tokenizer.grid)
        name = say(f"applications.head.{site.queries}.{site.kind}", layer=site.layer, head=head)
        rest = f"{max(0.0, 1 - float(weights.sum())):.0%}"
        st.caption(plain(say("applications.digits.rest", name=name, share=rest)))
        figure = picture(pixels, weights, _limit(case), theme(), current())
    st.plotly_chart(figure, key="digits-picture", **PICTURE)


def _heads(case: Case, pixels: Tensor, chosen: tuple[AttentionSite, int]) -> None:
    maps = _maps(case)
    place = (case.trace.sites.index(chosen[0]), chosen[1])
    figure = heads(pixels, maps, place, _limit(case), theme(), current())
    st.plotly_chart(figure, key="digits-heads", **PICTURE)


def _probabilities(case: Case) -> None:
    right = None if case.row is None else int(case.row.targets[0, 0])
    st.caption(say("applications.digits.probabilities"))
    figure = probabilities(case.task.labels, shares_of(case), right, theme())
    st.plotly_chart(figure, key="digits-shares", **PICTURE)


def _deletion(case: Case, features: Tensor, chosen: tuple[AttentionSite, int] | None) -> None:
    """Show the curves of this picture, their areas beside those of many pictures, and what follows from them."""
    weights = None if chosen is None else chosen[0].weights(chosen[1])[0]
    network, tokens = case.model.network, torch.tensor(case.trace.token_ids)
    head, ink, random = _erased(network, tokens, features, weights)
    chances = torch.stack([each.probabilities for each in random])  # (orders, n + 1)
    names = say("applications.digits.head"), say("applications.digits.ink")
    curves = {name: each and each.probabilities for name, each in zip(names, (head, ink), strict=True)}
    lowest, highest = chances.quantile(EDGE, 0), chances.quantile(1 - EDGE, 0)
    here = _areas(head, ink, random)
    name = None if chosen is None else (chosen[0].name, chosen[1])
    left, right = st.columns(2, gap="small")
    with left:
        _probabilities(case)
        _table(here, _averages(case.listed, name))
    figure = deletion(curves, chances.mean(0), lowest, highest, theme(), current())
    with right:
        st.caption(say("applications.digits.deletion"))
        st.plotly_chart(figure, key="digits-deletion", **PICTURE)
    if here.head is not None:
        st.markdown(plain(say(f"applications.digits.verdict.{_verdict(here)}")))
    st.caption(say("applications.digits.note", n=ORDERS, pictures=AVERAGED))


def _erased(
    network: Network, tokens: Tensor, features: Tensor, weights: Tensor | None, n: int = ORDERS
) -> tuple[Deletion | None, Deletion, list[Deletion]]:
    """Erase patches in the order of a head, of the ink, and in n random orders."""
    head = None if weights is None else delete(network, tokens, features, by_attention(weights))
    ink = delete(network, tokens, features, by_amount(features))
    return head, ink, [delete(network, tokens, features, order) for order in random_orders(len(tokens), n)]


def _areas(head: Deletion | None, ink: Deletion, random: list[Deletion]) -> Areas:
    areas = torch.tensor([each.area for each in random])
    edge, empty = float(areas.quantile(EDGE)), float(ink.probabilities[-1])
    return Areas(head and head.area, ink.area, float(areas.mean()), edge, empty)


def _verdict(areas: Areas) -> str:
    """Judge the order of a head: "explains", "ink" (no more than where the ink is) or "nothing".

    Or "empty": an empty picture gets the same answer, so that there is nothing to erase it by.

    Example:
        >>> [_verdict(Areas(head, ink=0.3, random=0.6, lowest=0.5, empty=0.0)) for head in (0.2, 0.4, 0.5)]
        ['explains', 'ink', 'nothing']
    """
    assert areas.head is not None
    if areas.empty > 0.5:
        return "empty"
    if areas.head >= areas.lowest:
        return "nothing"
    return "explains" if areas.head < areas.ink else "ink"


def _table(here: Areas, everywhere: Areas) -> None:
    columns = [say(f"applications.digits.{name}") for name in ("order", "area_here", "area_mean")]
    rows = []
    for name in ("head", "ink", "random"):
        one, many = getattr(here, name), getattr(everywhere, name)
        if one is not None:
            rows.append([say(f"applications.digits.{name}"), short(one), short(many)])
    st.markdown(table(columns, rows))


@lru_cache(64)
def _averages(listed: Listed, chosen: tuple[str, int] | None) -> Areas:
    """Return the means over many test pictures, with two random orders for each; `chosen` names a site and a head."""
    network, found = opened(listed).network, []
    for row in examples(task_of(listed))[:AVERAGED]:
        weights = None if chosen is None else attention_weights(network, row)[chosen[0]][chosen[1], 0]
        assert row.features is not None  # a picture has patches
        found.append(_areas(*_erased(network, row.tokens[0], row.features[0], weights, n=2)))
    head = None if chosen is None else fmean(each.head or 0.0 for each in found)
    return Areas(head, *(fmean(values) for values in list(zip(*found, strict=True))[1:]))
