"""Compare: recurrent networks and a Transformer on the same task, side by side."""

from attnviz.ui import comparison

comparison.ADDRESS.arrive()
comparison.page()
