"""Files that people hand in, and those that they take away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.server.people.rights import offers
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import Widget

__all__ = ["JUST_SAVE", "choose_file"]

JUST_SAVE: Literal["ignore"] = "ignore"
"""For the `on_click` of a download: the page need not run again."""


def choose_file(label: str, kinds: Sequence[str], key: str, most_mb: int, take: Callable[[bytes, str], None]) -> None:
    """Show a field for a file, which is taken once; the page says what goes wrong.

    Args:
        kinds: endings of the files to choose from.
        key: what the field's own keys begin with.
        most_mb: megabytes that the file may have.
        take: is given the file's content and name.
    """
    if not offers(me(), "upload"):
        st.caption(say("class.off"))
        return
    field = (
        f"{key}-{page_state(Session).n_taken[key]}"  # another one each time: the same file may come, none is kept twice
    )
    st.file_uploader(
        label, type=list(kinds), key=field, max_upload_size=most_mb, on_change=_taken, args=(key, field, take)
    )


def _taken(key: str, field: str, take: Callable[[bytes, str], None]) -> None:
    file = Widget[Any](field, None).value
    if file is None or not offers(me(), "upload"):
        return
    page_state(Session).n_taken[key] += 1
    try:
        take(file.getvalue(), file.name)
    except AttnvizError as error:
        notice_error(error)
