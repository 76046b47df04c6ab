"""Language models: what comes next, what it was read from, and how good models of the same size are."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log

import streamlit as st

from attnviz.training import evaluate
from attnviz.ui.applications.case import SEED, Case, choose_head, judged, opened, task_of
from attnviz.ui.applications.reading import reading
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.language import plain, say
from attnviz.ui.shared import Listed

__all__ = ["view"]

BEST = 6  # characters that are told
N_GUESSED = 24  # sequences on which the share of right guesses is counted


def view(case: Case) -> None:
    """The most probable next characters, the loss in three units, and what the last character reads."""
    ids, shares = case.trace.top_outputs(BEST)
    names = [case.model.output_label(index) for index in ids[-1].tolist()]
    st.caption(say("applications.language.next"))
    told = zip(names, shares[-1].tolist(), strict=True)
    strip([Chip(name, share, below=f"{share:.1%}") for name, share in told], label=say("applications.language.next"))
    loss = judged(case.listed)
    numbers = {
        "nats": f"{loss:.3f}",
        "perplexity": f"{exp(loss):.3f}",
        "bits": f"{loss / log(2):.3f}",
        "accuracy": f"{_accuracy(case.listed):.1%}",
    }
    st.markdown(plain(say("applications.language.loss", **numbers)))
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, kind="self")
    reading(case, site, head, at=len(case.tokens) - 1)


@lru_cache(16)
def _accuracy(listed: Listed) -> float:
    """The share of test characters that the model holds most probable."""
    return evaluate(opened(listed).network, task_of(listed), "test", N_GUESSED, SEED).accuracy
