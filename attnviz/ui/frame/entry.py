"""The script Streamlit runs for every page: language, style, navigation."""

from pathlib import Path

import streamlit as st

from attnviz.ui.frame.address import begin
from attnviz.ui.frame.head import pages
from attnviz.ui.frame.shortcuts import shortcuts

begin()
st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
st.html(Path(__file__).parent / "style.css")
st.navigation(pages(), position="hidden").run()
shortcuts()
