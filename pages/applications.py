"""Applications: what attention is used for, each with a view of its own."""

from attnviz.ui import applications

applications.ADDRESS.arrive()
applications.page()
