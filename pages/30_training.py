"""Training: a small model on a small task, live."""

from attnviz.ui.training import page

page.show()
