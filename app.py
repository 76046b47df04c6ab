"""Starts the app: `streamlit run app.py`. What it serves is declared in attnviz/ui/app.py."""

import streamlit as st

from attnviz.ui.app import options

app = st.App(**options())
