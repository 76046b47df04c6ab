"""See every number a live Transformer computes: trace a model on a text, look at any head.

>>> import attnviz
>>> model = attnviz.load_model("zoo/reverse")
>>> trace = attnviz.trace(model, "g f e d c")
>>> max(entry.max_abs_error for entry in trace.proof()) < 1e-5
True
"""

from attnviz.errors import AttnvizError
from attnviz.loading import load_model
from attnviz.models import ModelConfig, SequenceModel, generate, save_model
from attnviz.trace import AttentionSite, Trace
from attnviz.tracing import trace, trace_inputs
from attnviz.zoo import zoo

__all__ = [
    "AttentionSite",
    "AttnvizError",
    "ModelConfig",
    "SequenceModel",
    "Trace",
    "generate",
    "load_model",
    "save_model",
    "trace",
    "trace_inputs",
    "zoo",
]
