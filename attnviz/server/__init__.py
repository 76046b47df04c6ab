"""What one server holds for all sessions, and answers over HTTP. It knows Starlette, and not Streamlit."""
