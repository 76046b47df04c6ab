"""What a model computed for one text: kept as references, worked out when somebody looks."""

from attnviz.trace.model_trace import ProofEntry, Trace
from attnviz.trace.record import trace
from attnviz.trace.site import AttentionSite, Chain

__all__ = ["AttentionSite", "Chain", "ProofEntry", "Trace", "trace"]
