"""One head as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.trace.find import find_site

if TYPE_CHECKING:
    import pandas as pd

    from attnviz.trace.model_trace import Trace

__all__ = ["to_dataframe"]


def to_dataframe(
    trace: Trace, layer: int, head: int, stack: str | None = None, kind: str | None = None, part: int | None = None
) -> pd.DataFrame:
    """One head as a table: a row for every pair of a query and a key, query by query, masked pairs too.

    Args:
        trace: to look into.
        layer: index of the block; with stack, kind and part as in `find_site`.
        head: index of the head.
        stack: "encoder", "decoder", "text" or "vision".
        kind: "self" or "cross".
        part: which window of an image.

    Returns:
        Tq * Tk rows. Columns: query, key (positions), query_token, key_token (categories), score (q · k), scaled (after
        scale, bias and soft-cap), masked (-inf where the key may not be read), weight (all 0 for a query that may read
        nothing), allowed (whether the query may read the key). Numbers are float32, as the site computes them.

    Raises:
        KeyError: there is no such site.
        IndexError: there is no such head.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/sort"), "c a b")
        >>> table = to_dataframe(trace, layer=0, head=0)
        >>> table[table.allowed].groupby("query").weight.sum().round(5).unique().tolist()
        [1.0]
    """
    import pandas as pd  # not before somebody asks for a table

    site = find_site(trace, layer, stack, kind, part)
    chain = site.chain(head)
    n_queries, n_keys = chain.weights.shape
    query = np.repeat(np.arange(n_queries, dtype=np.int32), n_keys)
    key = np.tile(np.arange(n_keys, dtype=np.int32), n_queries)
    columns = {
        "query": query,
        "key": key,
        "query_token": _tokens(trace, site.queries)[query],
        "key_token": _tokens(trace, site.keys)[key],
    }
    steps = {"score": chain.scores, "scaled": chain.scaled, "masked": chain.masked, "weight": chain.weights}
    columns |= {name: matrix.cpu().numpy().ravel() for name, matrix in steps.items()}
    columns["allowed"] = site.mask.allowed(n_queries, n_keys).cpu().numpy().ravel()
    return pd.DataFrame(columns, copy=False)


def _tokens(trace: Trace, sequence: str) -> pd.Categorical:
    """The labels of a sequence, each kept once."""
    import pandas as pd

    labels = trace.sequences[sequence].labels
    return pd.Categorical(labels, categories=list(dict.fromkeys(labels)))
