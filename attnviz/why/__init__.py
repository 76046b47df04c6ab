"""Why does a query read a key? Its score, or a logit, as a sum of what earlier parts of the model wrote.

Nothing is trained for it, and no model is known by its name: one pass of any model is recorded as linear steps from
what its parts wrote to its queries and keys, with the scales of its norms held. What is no such sum is refused.

>>> import attnviz
>>> trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b a")
>>> found = trace.why("decoder.1.self", head=0, query=4, key=1)
>>> abs(sum(part.share for part in found.keys) - (found.score - found.row_mean)) < 1e-4
True
"""

from attnviz.errors import NotSplit
from attnviz.why.explanation import Explanation, LogitParts, Pair, Part, Source, SplitProof

__all__ = ["Explanation", "LogitParts", "NotSplit", "Pair", "Part", "Source", "SplitProof"]
