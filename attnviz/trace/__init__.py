"""Traces: what a model computed for one text, kept as references and worked out on request."""

from attnviz.trace.calls import BlockPlace
from attnviz.trace.edit import Edit
from attnviz.trace.model_trace import Outputs, Trace, TracedModel
from attnviz.trace.passes import EditablePass, ForwardPass, LayerInputs, ProofEntry
from attnviz.trace.record import trace
from attnviz.trace.site import AttentionSite, Chain
from attnviz.trace.tokens import Grid, Tokens

__all__ = [
    "AttentionSite",
    "BlockPlace",
    "Chain",
    "Edit",
    "EditablePass",
    "ForwardPass",
    "Grid",
    "LayerInputs",
    "Outputs",
    "ProofEntry",
    "Tokens",
    "Trace",
    "TracedModel",
    "trace",
]
