"""Models: all that can be opened here, and ways to bring one's own."""

from attnviz.ui.models import page

page.show()
