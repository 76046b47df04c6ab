"""Transformers, recurrent and convolutional networks from small frozen configs, in one folder each."""

from attnviz.models.bundle import ModelCard, SequenceModel, load_model, save_model
from attnviz.models.call import AttentionCall, Recorder
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional import Convolutional
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.facts import ModelFacts
from attnviz.models.generation import generate
from attnviz.models.network import Network, build_network
from attnviz.models.recurrent import Recurrent
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.models.transformer import Transformer

__all__ = [
    "AnyConfig",
    "AttentionCall",
    "Convolutional",
    "ConvolutionalConfig",
    "ModelCard",
    "ModelConfig",
    "ModelFacts",
    "Network",
    "Recorder",
    "Recurrent",
    "RecurrentConfig",
    "SequenceModel",
    "Transformer",
    "build_network",
    "generate",
    "load_model",
    "save_model",
]
