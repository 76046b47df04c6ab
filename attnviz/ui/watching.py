"""A run on a page: watched, and steered where it is one of this server's own."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, RunUnwritable
from attnviz.server import workers
from attnviz.server.shelf import is_own
from attnviz.training import Run
from attnviz.ui.language import code, explain, say
from attnviz.ui.watch import SUBMIT, obey, show_watch

__all__ = ["PLACE", "unwritable", "watch"]

PLACE = frozenset({"step", "site", "head", "seq"})
"""Parameters of the address that the view of a run writes."""


def watch(run: Run, messages: DeltaGenerator, *, follow: bool) -> None:
    """Place the view of a run, and do what people tell the run there; what cannot be done is said above.

    Args:
        run: which.
        messages: where to say it.
        follow: begin at the newest step and stay there.
    """
    with st.container(key="watch-box"):
        told = show_watch(run, key="watch", steer=is_own(run), follow=follow)
    if told is None:
        return
    try:
        if told.name != SUBMIT and not run.state().active:  # it has ended since, or somebody else stopped it
            messages.info(say("training.not_under_way", name=code(run.name, 100)))
            return
        obey(workers.queue(), run, told)
    except AttnvizError as error:
        messages.error(explain(error))
    except OSError as error:
        messages.error(explain(unwritable(run.name, error)))


def unwritable(name: str, error: OSError) -> RunUnwritable:
    """What the disk says, as an error that is explained in every language."""
    return RunUnwritable(name, error.strerror or str(error))
