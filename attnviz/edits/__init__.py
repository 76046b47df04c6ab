"""Change a forward pass of a model and see what follows; each edit is data, and no model is touched.

>>> import attnviz
>>> from attnviz import edits
>>> model = attnviz.load_model("zoo/reverse")
>>> plain = attnviz.trace(model, "g f e d c")
>>> edited = attnviz.trace(model, "g f e d c", edits=[edits.head_off("encoder.1.self", head=0)])
>>> max(entry.max_abs_error for entry in edited.proof()) < 1e-5
True
>>> attnviz.effect(plain, edited, token="c", position=0).probability.after < 0.9
True
"""

from attnviz.edits.edit import (
    cut,
    head_off,
    no_mask,
    no_positions,
    no_scale,
    patch,
    patch_stream,
    scale_head,
    set_weights,
    temperature,
)
from attnviz.edits.effect import Change, Effect, effect
from attnviz.edits.sweep import Sweep, sweep
from attnviz.edits.text import read_edits, write_edits
from attnviz.errors import EditError
from attnviz.trace.site import SiteEdit

__all__ = [
    "Change",
    "EditError",
    "Effect",
    "SiteEdit",
    "Sweep",
    "cut",
    "effect",
    "head_off",
    "no_mask",
    "no_positions",
    "no_scale",
    "patch",
    "patch_stream",
    "read_edits",
    "scale_head",
    "set_weights",
    "sweep",
    "temperature",
    "write_edits",
]
