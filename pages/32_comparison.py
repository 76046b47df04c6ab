"""Compare: recurrent and convolutional networks and a Transformer on the same task, side by side."""

from attnviz.ui.comparison import page

page.show()
