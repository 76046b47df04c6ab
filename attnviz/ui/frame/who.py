"""Who sits at the browser of this session."""

from __future__ import annotations

import streamlit as st

from attnviz.server.people.rights import Person, person_of

__all__ = ["hidden_pages", "me"]


def me() -> Person:
    """Return who sits there, by the cookies with which the browser opened its connection."""
    return person_of(st.context.cookies)


def hidden_pages() -> tuple[str, ...]:
    """Return the names of the pages that the teacher has hidden from who sits there."""
    person = me()
    return person.room.rules.pages if person.role == "student" and person.room is not None else ()
