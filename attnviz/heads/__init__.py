"""Find the heads of a model that read in a way that has a name, over many texts, each beside its chance level.

A head has a label where it reads so past thresholds (`LIFT`, `HITS`, `LEAST`), and its effect, switched off alone, is
measured on the outputs that this reading is about (`EFFECT`). The ways and their sources: `attnviz.heads.reads`.

>>> import attnviz
>>> found = attnviz.find_heads(attnviz.load_model("zoo/induction"))
>>> [(head.site, head.label) for head in found]
[('decoder.0.self', 'previous'), ('decoder.1.self', 'induction')]
"""

from attnviz.heads.corpus import Text, read_texts, shipped_texts
from attnviz.heads.effects import Asked, Effect
from attnviz.heads.find import find_heads, heads_of
from attnviz.heads.found import EFFECT, HITS, LEAST, LIFT, Head, Heads, Label, Reading
from attnviz.heads.reads import LABELS
from attnviz.heads.search import TokenRead, TokenReads, reads_of
from attnviz.heads.tally import Example

__all__ = [
    "EFFECT",
    "HITS",
    "LABELS",
    "LEAST",
    "LIFT",
    "Asked",
    "Effect",
    "Example",
    "Head",
    "Heads",
    "Label",
    "Reading",
    "Text",
    "TokenRead",
    "TokenReads",
    "find_heads",
    "heads_of",
    "read_texts",
    "reads_of",
    "shipped_texts",
]
