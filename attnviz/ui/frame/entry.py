"""The script Streamlit runs for every page: language, style, navigation."""

import json
from pathlib import Path

import streamlit as st

from attnviz.ui.frame.address import begin
from attnviz.ui.frame.head import pages
from attnviz.ui.frame.language import say

begin()
st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
st.html(Path(__file__).parent / "style.css")
# Streamlit says it in English only; a JSON string is one of CSS as well
st.html(f"<style>:root {{ --choose-file: {json.dumps(say('page.choose_file'), ensure_ascii=False)}; }}</style>")
st.navigation(pages(), position="hidden").run()
