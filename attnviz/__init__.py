"""See every number of a live Transformer's attention: trace a model on a text, look at any head.

>>> import attnviz
>>> model = attnviz.load_model("zoo/reverse")
>>> trace = attnviz.trace(model, "g f e d c")
>>> max(entry.max_abs_error for entry in trace.proof()) < 1e-5
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from attnviz.edits import effect, sweep
from attnviz.errors import AttnvizError
from attnviz.loading import load_model
from attnviz.models import ModelConfig, SequenceModel, save_model
from attnviz.trace import AttentionSite, Trace
from attnviz.tracing import generate, trace, trace_generated, trace_inputs, write
from attnviz.view.standalone import show, to_html
from attnviz.zoo import zoo

if TYPE_CHECKING:
    from attnviz import figures
    from attnviz.heads import find_heads

__all__ = [
    "AttentionSite",
    "AttnvizError",
    "ModelConfig",
    "SequenceModel",
    "Trace",
    "effect",
    "figures",
    "find_heads",
    "generate",
    "load_model",
    "save_model",
    "show",
    "sweep",
    "to_html",
    "trace",
    "trace_generated",
    "trace_inputs",
    "write",
    "zoo",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Return what `import attnviz` need not wait for, such as `attnviz.figures`, which brings plotly."""
    if name == "figures":
        return import_module("attnviz.figures")
    if name == "find_heads":
        return import_module("attnviz.heads").find_heads
    raise AttributeError(f"module 'attnviz' has no attribute {name!r}")
