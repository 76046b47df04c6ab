"""The script Streamlit runs for every page: language, style, navigation."""

from pathlib import Path

import streamlit as st

from attnviz.ui import link
from attnviz.ui.language import say

HERE = Path(__file__).parent
PAGES = HERE.parent.parent / "pages"

link.restore()
st.set_page_config(page_title=say("page.title"), layout="wide", initial_sidebar_state="collapsed")
st.html(HERE / "style.css")
page = st.navigation(
    [st.Page(PAGES / "explorer.py", title=say("page.explorer"), default=True)],
    position="hidden",
)
page.run()
