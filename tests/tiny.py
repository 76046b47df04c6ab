"""Small untrained models for tests of pages: their numbers mean nothing, but they are computed like any others."""

from __future__ import annotations

import string
from pathlib import Path

from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network, save_model
from attnviz.tokenizers import Tokenizer

LETTERS = Tokenizer("symbols", tuple("abcdefghij"))
TEXT = Tokenizer("characters", tuple(string.ascii_letters + string.digits + " .,\n<>()[]*$`_/:"), add_bos=True)
WORDS = Tokenizer("characters", tuple(string.ascii_letters + string.digits + " "))
DIGITS = Tokenizer("characters", tuple("0123456789-"), add_bos=True)

MARKUP = "<script>alert(1)</script> **b** $x$ [y](z) `c`"


def tiny_models(root: Path) -> Path:
    """A folder of models as an operator would offer them: one of each architecture, and a damaged one."""
    encoder = ModelConfig("encoder", LETTERS.vocab_size, 16, n_layers=1, n_heads=2)
    decoder = ModelConfig("decoder", TEXT.vocab_size, 256, n_layers=3, n_heads=4, positions="rotary")
    both = ModelConfig(
        "encoder-decoder", DIGITS.vocab_size, 12, n_heads=3, source_vocab_size=WORDS.vocab_size, source_max_len=32
    )
    dates = (("3rd of March 2021", "2021-03-03"), ("3rd of March 2021", ""))
    _save(root, encoder, LETTERS, ModelCard("tiny-encoder", "Tiny", examples=("g f e d c", "a b a b")))
    _save(root, decoder, TEXT, ModelCard("tiny-decoder", "Tiny", examples=("The fox ran.", MARKUP)))
    _save(root, both, DIGITS, ModelCard("tiny-both", "Tiny", examples=dates), WORDS)
    damaged = root / "tiny-damaged"
    damaged.mkdir()
    (damaged / "config.json").write_bytes((root / "tiny-encoder" / "config.json").read_bytes())
    (damaged / "model.safetensors").write_bytes(b"not a model")
    return root


def _save(
    root: Path, config: ModelConfig, tokenizer: Tokenizer, card: ModelCard, source: Tokenizer | None = None
) -> None:
    save_model(SequenceModel(build_network(config, seed=0), tokenizer, card, source), root / card.name)
