"""Applications: what attention is used for, each with a view of its own."""

from attnviz.ui.applications import page

page.show()
