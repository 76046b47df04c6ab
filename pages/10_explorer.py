"""The Explorer: any sequence, every head, every number."""

from attnviz.ui.explorer import page

page.show()
