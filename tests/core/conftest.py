"""Tiny models with random weights, for tests that need any model at all."""

from collections.abc import Callable
from typing import Any

import pytest

from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network
from attnviz.tokenizers import Tokenizer

TARGET = Tokenizer("symbols", tuple("abcdefgh"), add_bos=True)
SOURCE = Tokenizer("characters", tuple("abcdefgh "))


@pytest.fixture
def make_model() -> Callable[..., SequenceModel]:
    def make(architecture: str = "decoder", **changes: Any) -> SequenceModel:
        cross = architecture == "encoder-decoder"
        if cross:
            changes = {"source_vocab_size": SOURCE.vocab_size, "source_max_len": 17} | changes
        values = {"d_model": 24, "n_heads": 4, "n_layers": 2, "d_ff": 29, "max_len": 13} | changes
        config = ModelConfig(architecture, TARGET.vocab_size, **values)  # type: ignore[arg-type]
        network = build_network(config, seed=0).eval().requires_grad_(False)
        return SequenceModel(network, TARGET, ModelCard("tiny", "Tiny"), SOURCE if cross else None)

    return make
