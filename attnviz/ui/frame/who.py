"""Who sits at the browser of this session."""

from __future__ import annotations

import streamlit as st

from attnviz.server.people.rights import Person, person_of

__all__ = ["me"]


def me() -> Person:
    """Return who sits there, by the cookies with which the browser opened its connection."""
    return person_of(st.context.cookies)
