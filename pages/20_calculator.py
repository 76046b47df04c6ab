"""Calculator: attention by hand, every step from numbers that people type."""

from attnviz.ui.calculator import page

page.show()
