"""Folders as transformers writes them, of tiny models with random weights; and broken ones, each in its own way."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tests.huggingface.architectures import ARCHITECTURES, VOCABULARY

WORDS = ["the cat sat on the mat because it was tired, unbelievably", "paris is the capital of france."]
BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def real_models(root: Path) -> Path:
    """One that reads two sentences, one that continues, one with two stacks, one that sees, one that does both."""
    _save(root / "tiny-bert", BUILD["BERT"](), wordpiece())
    _save(root / "tiny-gpt2", BUILD["GPT-2"](vocab_size=300), bytes_of_text())
    _save(root / "tiny-long", BUILD["Llama"](vocab_size=300, max_position_embeddings=4096), bytes_of_text())
    _save(root / "tiny-bart", BUILD["BART"](), wordpiece())
    _save(root / "tiny-vit", BUILD["ViT"](), _sees())
    _save(root / "tiny-clip", BUILD["CLIP"](), wordpiece(), _sees())
    return root


def broken_models(root: Path) -> Path:
    """What people and operators hand in by mistake; the name says what is wrong."""
    import transformers as hf

    bert = root / "whole"
    _save(bert, BUILD["BERT"](), wordpiece())
    for name in ("no-config", "no-tokenizer", "pickled", "unknown", "remote", "truncated", "wrong-tokenizer"):
        shutil.copytree(bert, root / name)
    shutil.rmtree(bert)
    (root / "no-config" / "config.json").unlink()
    for path in (root / "no-tokenizer").glob("*token*"):
        path.unlink()
    (root / "pickled" / "model.safetensors").rename(root / "pickled" / "pytorch_model.bin")
    _change(root / "unknown", model_type="hal9000", architectures=["HalForCausalLM"])
    _change(root / "remote", model_type="hal9000", auto_map={"AutoModel": "modeling_hal.HalModel"})
    weights = root / "truncated" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    wordpiece(extra=60).save_pretrained(root / "wrong-tokenizer")
    small: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_attention_heads": 2}
    deberta = hf.DebertaV2Config(**small, num_hidden_layers=1, intermediate_size=16, max_position_embeddings=64)
    _save(root / "deberta", hf.DebertaV2ForMaskedLM(deberta), wordpiece())
    _save(
        root / "bloom",
        hf.BloomForCausalLM(hf.BloomConfig(vocab_size=300, hidden_size=16, n_layer=1, n_head=2)),
        bytes_of_text(),
    )
    gptj = hf.GPTJConfig(vocab_size=300, n_embd=16, n_layer=1, n_head=2, n_positions=64, rotary_dim=4)
    _save(root / "gptj", hf.GPTJForCausalLM(gptj), bytes_of_text())
    return root


def zip_of(folder: Path, path: Path, inside: str = "", **others: bytes) -> Path:
    """A zip file of a folder's files, and of others by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)
        for name, content in others.items():
            archive.writestr(inside + name, content)
    return path


def wordpiece(extra: int = 0) -> Any:
    """A tokenizer with [CLS], [SEP] and [MASK], for two sentences."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[unused{n}]" for n in range(extra))]
    tokenizer.train_from_iterator(WORDS, trainers.WordPieceTrainer(vocab_size=60 + extra, special_tokens=specials))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{f"{k}_token": v for k, v in names.items()})


def bytes_of_text() -> Any:
    """A tokenizer that reads any text."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<pad>", "<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=specials, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(WORDS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>")


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
