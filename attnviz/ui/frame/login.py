"""The operator's login: where Streamlit's `[auth]` is configured, nobody sees a page before it."""

from __future__ import annotations

import streamlit as st

from attnviz.ui.frame.language import choose, say
from attnviz.ui.frame.widgets import button

__all__ = ["ask_to_log_in", "must_log_in"]


def must_log_in() -> bool:
    """Whether a login is configured and who sits there has not been through it."""
    return st.user.to_dict().get("is_logged_in") is False  # without a configuration it is not said


def ask_to_log_in() -> None:
    """In place of every page, lead to the login."""
    with st.container(horizontal=True, key="head-row", gap="small", vertical_alignment="center"):
        st.markdown(f"**{say('page.name')}**", width="content")
        st.space("stretch")
        choose()
    st.header(say("login.title"), anchor=False)
    st.markdown(say("login.text"))
    button(say("login.button"), "login", st.login, icon="login", type="primary")
