"""The script Streamlit runs for every page: language, style, navigation."""

from pathlib import Path

import streamlit as st

from attnviz.ui import PAGES
from attnviz.ui.frame.address import begin
from attnviz.ui.frame.head import hidden_page, pages
from attnviz.ui.frame.login import ask_to_log_in, must_log_in
from attnviz.ui.frame.reconnect import reconnect
from attnviz.ui.frame.shortcuts import shortcuts
from attnviz.ui.frame.who import hidden_pages

begin()
st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
st.html(Path(__file__).parent / "style.css")
chosen = st.navigation(pages(), position="hidden")
if must_log_in():
    ask_to_log_in()
elif (chosen.url_path or next(iter(PAGES))) in hidden_pages():
    hidden_page(chosen.url_path or next(iter(PAGES)))
else:
    chosen.run()
shortcuts()
reconnect()
