"""The Applications page: what attention is used for, each with a view of its own."""

from attnviz.ui.applications.page import ADDRESS, page

__all__ = ["ADDRESS", "page"]
