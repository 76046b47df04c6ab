"""Data of one's own on the Training page: typed, pasted or read from a file."""

from __future__ import annotations

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.tasks.own_data import decoded
from attnviz.ui.address import notice_error
from attnviz.ui.language import say

__all__ = ["own_data"]

MOST_MB = 5
KINDS = ("txt", "csv", "tsv", "conll", "iob", "bio")


def own_data(recipe: str, key: str) -> None:
    """The field for the data of a recipe, and a way to fill it from a file."""
    st.text_area(
        say(f"training.data.{recipe}"),
        key=key,
        height=130,
        placeholder=say(f"training.data.{recipe}.placeholder"),
        persist_state="session",
    )
    count = f"{key}-files"
    file = f"{key}-file-{st.session_state.get(count, 0)}"  # another one each time: the same file may come again
    st.file_uploader(
        say("training.upload", limit=MOST_MB),
        type=list(KINDS),
        key=file,
        max_upload_size=MOST_MB,
        on_change=_taken,
        args=(key, file, count),
    )


def _taken(key: str, file: str, count: str) -> None:
    """Put a file's text into the field; what is no text is said, and the field stays as it is."""
    state = st.session_state
    given = state.get(file)
    if given is None:
        return
    try:
        state[key] = decoded(given.getvalue())
    except AttnvizError as error:
        notice_error(error)
    state[count] = state.get(count, 0) + 1
