"""Folders as transformers writes them, of tiny models with random weights; and broken ones, each in its own way."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import attnviz
from attnviz.downloads import DOWNLOADS
from attnviz.server import opening
from attnviz.zoo import zoo_path
from tests.huggingface.architectures import ARCHITECTURES, VOCABULARY
from tests.huggingface.tokenizers import byte_level, word_piece

WORDS = ["the cat sat on the mat because it was tired, unbelievably", "paris is the capital of france."]
BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def real_models(root: Path) -> Path:
    """One that reads two sentences, one that answers, one that continues, one with two stacks, and two that see."""
    import transformers as hf

    _save(root / "tiny-bert", BUILD["BERT"](), word_piece(WORDS))
    _save(root / "tiny-qa", hf.BertForQuestionAnswering(BUILD["BERT"]().config), word_piece(WORDS))
    _save(root / "tiny-gpt2", BUILD["GPT-2"](vocab_size=300), byte_level(WORDS))
    _save(root / "tiny-long", BUILD["Llama"](vocab_size=300, max_position_embeddings=4096), byte_level(WORDS))
    _save(root / "tiny-bart", BUILD["BART"](), word_piece(WORDS))
    _save(root / "tiny-vit", BUILD["ViT"](), _sees())
    _save(root / "tiny-clip", BUILD["CLIP"](), word_piece(WORDS), _sees())
    return root


def broken_models(root: Path) -> Path:
    """What people and operators hand in by mistake; the name says what is wrong."""
    import transformers as hf

    bert = root / "whole"
    _save(bert, BUILD["BERT"](), word_piece(WORDS))
    for name in ("no-config", "no-tokenizer", "pickled", "unknown", "remote", "truncated", "wrong-tokenizer"):
        shutil.copytree(bert, root / name)
    shutil.rmtree(bert)
    shutil.copytree(zoo_path("sort"), root / "own-truncated")
    (root / "own-truncated" / "model.safetensors").write_bytes(b"0")
    (root / "no-config" / "config.json").unlink()
    for path in (root / "no-tokenizer").glob("*token*"):
        path.unlink()
    (root / "pickled" / "model.safetensors").rename(root / "pickled" / "pytorch_model.bin")
    _change(root / "unknown", model_type="hal9000", architectures=["HalForCausalLM"])
    _change(root / "remote", model_type="hal9000", auto_map={"AutoModel": "modeling_hal.HalModel"})
    weights = root / "truncated" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    word_piece(WORDS, unused=60).save_pretrained(root / "wrong-tokenizer")
    small: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_attention_heads": 2}
    deberta = hf.DebertaV2Config(**small, num_hidden_layers=1, intermediate_size=16, max_position_embeddings=64)
    _save(root / "deberta", hf.DebertaV2ForMaskedLM(deberta), word_piece(WORDS))
    _save(
        root / "bloom",
        hf.BloomForCausalLM(hf.BloomConfig(vocab_size=300, hidden_size=16, n_layer=1, n_head=2)),
        byte_level(WORDS),
    )
    mpt = hf.MptConfig(vocab_size=300, d_model=16, n_layers=1, n_heads=2, max_seq_len=64)
    _save(root / "mpt", hf.MptForCausalLM(mpt), byte_level(WORDS))
    return root


def zip_of(folder: Path, path: Path, inside: str = "", **others: bytes) -> Path:
    """A zip file of a folder's files, and of others by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)
        for name, content in others.items():
            archive.writestr(inside + name, content)
    return path


def _sees() -> Any:
    from transformers import ViTImageProcessor

    return ViTImageProcessor(size={"height": 24, "width": 24})


def _save(folder: Path, *parts: Any) -> None:
    for part in parts:
        part.save_pretrained(folder)


def _change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    changed: Mapping[str, Any] = {**json.loads(path.read_text("utf-8")), **values}
    path.write_text(json.dumps(changed), "utf-8")


def stand_in_for_the_hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Downloads are on, and every id is answered with that folder; returns the ids that were asked for."""
    asked: list[str] = []

    def download(name: str) -> Any:
        asked.append(name)
        return attnviz.load_model(folder)

    monkeypatch.setenv(DOWNLOADS, "1")
    monkeypatch.setattr(opening, "load_model", download)
    return asked
