"""Transformers from small frozen configs, in one folder each."""

from attnviz.models.bundle import ModelCard, SequenceModel, load_model, save_model
from attnviz.models.config import ModelConfig
from attnviz.models.facts import ModelFacts
from attnviz.models.generation import generate
from attnviz.models.layers import AttentionCall, Recorder
from attnviz.models.transformer import Transformer, build_network

__all__ = [
    "AttentionCall",
    "ModelCard",
    "ModelConfig",
    "ModelFacts",
    "Recorder",
    "SequenceModel",
    "Transformer",
    "build_network",
    "generate",
    "load_model",
    "save_model",
]
