"""The script Streamlit runs for every page: language, style, navigation."""

from pathlib import Path

import streamlit as st

from attnviz.ui.address import begin
from attnviz.ui.head import pages
from attnviz.ui.language import say

begin()
st.set_page_config(page_title=say("page.title"), layout="wide", initial_sidebar_state="collapsed")
st.html(Path(__file__).parent / "style.css")
st.navigation(pages(), position="hidden").run()
