"""Class: all runs at a glance, and what the students may do; for the teacher alone."""

from attnviz.ui.classroom import page

page.show()
