"""Language models: what comes next, what it was read from, and how good models of the same size are."""

from __future__ import annotations

from math import log

import streamlit as st

from attnviz.training.engine.loop import perplexity
from attnviz.ui.applications.case import Case, choose_head, judged, result
from attnviz.ui.applications.reading import reading
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import plain, say

__all__ = ["next_chips", "view"]

BEST = 6  # characters that are told


def view(case: Case) -> None:
    """Show the most probable next characters, the loss in three units, and what the last character reads."""
    st.caption(say("applications.language.next"))
    strip(next_chips(case), label=say("applications.language.next"))
    loss = judged(case.listed).score
    numbers = {
        "nats": f"{loss:.3f}",
        "perplexity": f"{perplexity(loss):.3f}",
        "bits": f"{loss / log(2):.3f}",
        "accuracy": f"{result(case.listed).accuracy:.1%}",
    }
    st.markdown(plain(say("applications.language.loss", **numbers)))
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, kind="self")
    reading(case, site, head, at=len(case.tokens) - 1)


def next_chips(case: Case) -> list[Chip]:
    """Return the most probable next characters, shaded by their probability."""
    ids, shares = case.trace.top_outputs(BEST)
    names = [case.model.output_label(index) for index in ids[-1].tolist()]
    return [Chip(name, share, below=f"{share:.1%}") for name, share in zip(names, shares[-1].tolist(), strict=True)]
