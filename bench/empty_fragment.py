"""A Streamlit app with one empty fragment: the least that a question to the server can cost."""

import streamlit as st


@st.fragment
def empty() -> None:
    if st.button("again", key="again"):
        st.session_state["count"] = st.session_state.get("count", 0) + 1
    st.text(f"count {st.session_state.get('count', 0)}")


empty()
