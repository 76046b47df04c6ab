"""Hold what all sessions of one server share, and answer over HTTP. It knows Starlette, and not Streamlit."""
