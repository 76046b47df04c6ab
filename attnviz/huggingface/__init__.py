"""Models of the transformers library, traced as they are: no code of theirs is changed or copied."""

from attnviz.huggingface.generation import continue_text, trace_generated
from attnviz.huggingface.load import download, open_folder
from attnviz.huggingface.model import HuggingFaceModel, wrap
from attnviz.huggingface.tracing import trace_inputs, trace_text
from attnviz.huggingface.writing import write

__all__ = [
    "HuggingFaceModel",
    "continue_text",
    "download",
    "open_folder",
    "trace_generated",
    "trace_inputs",
    "trace_text",
    "wrap",
    "write",
]
