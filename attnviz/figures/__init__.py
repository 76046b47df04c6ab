"""Figures of a trace or a run for notebooks and papers: functions that return a plotly figure.

Queries are blue and run downwards, keys vermilion and to the right. Weights go from the page's background (0) to dark
(1), signed numbers have colours around 0. A gap is grey: there is no number. Pointing at a number tells it in full.

>>> import attnviz
>>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
>>> weights(trace, layer=1, head=0).layout.title.text.split("<br>")[0]
'Encoder self-attention · layer 1 · head 0'
"""

from attnviz.figures.heads import chain, heads, weights
from attnviz.figures.lines import lines
from attnviz.figures.outputs import outputs
from attnviz.figures.training import loss, patterns

__all__ = ["chain", "heads", "lines", "loss", "outputs", "patterns", "weights"]
