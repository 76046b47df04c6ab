"""One head as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from attnviz.trace.site import AttentionSite

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["to_dataframe"]


def to_dataframe(site: AttentionSite, head: int, queries: Sequence[str], keys: Sequence[str]) -> pd.DataFrame:
    """One head as a table: a row for every pair of a query and a key, query by query, masked pairs too.

    Args:
        site: place of attention.
        queries: labels of its queries (Tq).
        keys: labels of its keys (Tk).

    Returns:
        Tq * Tk rows. Columns: query, key (positions), query_token, key_token (categories), score (q · k), scaled (after
        scale, bias and soft-cap), masked (-inf where the key may not be read), weight (all 0 for a query that may read
        nothing), allowed (whether the query may read the key). Numbers are float32, as the site computes them.

    Raises:
        IndexError: there is no such head.
    """
    import pandas as pd  # not before somebody asks for a table

    chain = site.chain(head)
    n_queries, n_keys = chain.weights.shape
    query = np.repeat(np.arange(n_queries, dtype=np.int32), n_keys)
    key = np.tile(np.arange(n_keys, dtype=np.int32), n_queries)
    columns = {"query": query, "key": key, "query_token": _tokens(queries)[query], "key_token": _tokens(keys)[key]}
    steps = {"score": chain.scores, "scaled": chain.scaled, "masked": chain.masked, "weight": chain.weights}
    columns |= {name: matrix.cpu().numpy().ravel() for name, matrix in steps.items()}
    columns["allowed"] = site.mask.allowed(n_queries, n_keys).cpu().numpy().ravel()
    return pd.DataFrame(columns, copy=False)


def _tokens(labels: Sequence[str]) -> pd.Categorical:
    """Return the labels of a sequence, each kept once."""
    import pandas as pd

    return pd.Categorical(labels, categories=list(dict.fromkeys(labels)))
