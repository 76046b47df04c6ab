"""The Streamlit side. Only this package, the pages and app.py import streamlit."""
