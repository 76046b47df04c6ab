"""Whatever a model, a tokenizer or an input raises is an error of ours that says what to do."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

import attnviz
from attnviz.cli import main
from attnviz.errors import (
    AttnvizError,
    DoesNotWrite,
    ModelFailed,
    NoDevice,
    NotAModel,
    NotText,
    NotUnicode,
    OutOfMemory,
    OwnFault,
    PackageMissing,
    QuantisedWeights,
    TokenizerFailed,
)
from attnviz.guard import guarded
from attnviz.huggingface import HuggingFaceModel, trace_inputs, wrap
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level, word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7]])}


def raise_it(error: BaseException) -> None:
    raise error


class PanicException(BaseException):
    """As code in Rust raises it: no Exception."""


PanicException.__module__ = "pyo3_runtime"


@pytest.mark.parametrize(
    ("raised", "error", "words"),
    [
        (IndexError("list index out of range"), ModelFailed, "list index out of range"),
        (KeyError("rope_type"), ModelFailed, "KeyError: 'rope_type'"),
        (NotImplementedError(), ModelFailed, "NotImplementedError"),
        (PanicException("called `Option::unwrap()`\nnote: more"), ModelFailed, "called `Option::unwrap()`"),
        (RecursionError("maximum recursion depth exceeded"), ModelFailed, "recursion"),
        (MemoryError(), OutOfMemory, "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), OutOfMemory, "not enough memory"),
        (ImportError("`x` requires x: `pip install -U xyz>=0.4`"), PackageMissing, "pip install xyz"),
        (ImportError("\nA requires the Torchvision library but it was not found"), PackageMissing, "Torchvision"),
        (ModuleNotFoundError("No module named 'a.b'", name="a.b"), PackageMissing, "pip install a)"),
        (ImportError("needs a GPU"), ModelFailed, "needs a GPU"),
        (NotAModel("int"), NotAModel, "not int"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_kind_of_exception_is_told(raised: BaseException, error: type[AttnvizError], words: str) -> None:
    with pytest.raises(error) as caught, guarded("tiny"):
        raise_it(raised)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whoever_stops_the_program_stops_it(stop: type[BaseException]) -> None:
    with pytest.raises(stop), guarded("tiny"):
        raise_it(stop())


def test_a_fault_of_ours_says_so_and_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = wrap(BUILD["BERT"]())
    trace_inputs(model, IDS)
    from attnviz.huggingface import place

    monkeypatch.setattr(place, "hold_only_these", lambda *tensors: tensors[:2])  # make_site unpacks three
    with caplog.at_level(logging.ERROR), pytest.raises(OwnFault, match=r"attnviz itself failed.*not enough values"):
        trace_inputs(model, IDS)
    assert any(record.exc_info and "make_site" in (caplog.text) for record in caplog.records)


def test_what_the_model_raises_under_our_ears_is_the_models() -> None:
    network = BUILD["BERT"]()

    def forward(*_: Any, **__: Any) -> Any:
        return torch.softmax("no tensor", dim=-1)  # type: ignore[arg-type]

    network.bert.encoder.layer[1].output.forward = forward
    with pytest.raises(ModelFailed, match="softmax"):
        trace_inputs(wrap(network), IDS)


def test_a_tokenizer_that_fails_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = word_piece()
    model = wrap(BUILD["BERT"](), tokenizer)
    assert attnviz.trace(model, "the cat").sites
    with monkeypatch.context() as patch:
        patch.setattr(type(tokenizer), "_encode_plus", lambda *_, **__: 1 / 0)
        with pytest.raises(TokenizerFailed, match="division by zero"):
            attnviz.trace(model, "the cat")
    without = word_piece()
    vocabulary = json.loads(without.backend_tokenizer.to_str())
    del vocabulary["model"]["vocab"]["[UNK]"]
    vocabulary["added_tokens"] = [token for token in vocabulary["added_tokens"] if token["content"] != "[UNK]"]
    bare = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(vocabulary)))
    with pytest.raises(TokenizerFailed, match="UNK"):
        attnviz.trace(wrap(BUILD["BERT"](), bare), "猫")


@pytest.mark.parametrize("given", [["a", "b"], None, b"the cat", 5, torch.tensor([1])], ids=repr)
@pytest.mark.parametrize("which", ["ours", "theirs"])
def test_what_is_no_text(given: Any, which: str) -> None:
    ours = attnviz.load_model("zoo/reverse")
    model = ours if which == "ours" else wrap(BUILD["GPT-2"](), byte_level())
    for ask in (attnviz.trace, attnviz.generate, attnviz.trace_generated):
        with pytest.raises((NotText, DoesNotWrite, NotAModel)):
            ask(model, given)  # type: ignore[operator]
    with pytest.raises(NotText, match=type(given).__name__):
        attnviz.trace(model, given)


@pytest.mark.parametrize("text", ["a\ud83d", "\udc00", "e \ud83d e"], ids=ascii)
def test_half_a_character(text: str) -> None:
    ours, theirs = attnviz.load_model("zoo/english"), wrap(BUILD["GPT-2"](vocab_size=300), byte_level())
    for model in (ours, theirs):
        with pytest.raises(NotUnicode, match=r"U\+D[8C]"):
            attnviz.trace(model, text)
    with pytest.raises(NotUnicode):
        attnviz.generate(ours, text)
    with pytest.raises(NotUnicode):
        attnviz.trace_generated(theirs, text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    BUILD["Llama"](vocab_size=300).save_pretrained(tmp_path / "tiny")
    byte_level().save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def change(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("stored", ["flash_attention_2", "flash_attention_3", "flex_attention", "org/kernel", "sdpa"])
def test_a_stored_way_to_attend_is_not_needed(stored: str, key: str, folder: Path) -> None:
    before = attnviz.trace(attnviz.load_model(folder), "the cat").logits
    change(folder, **{key: stored})
    trace = attnviz.trace(attnviz.load_model(folder), "the cat")
    torch.testing.assert_close(trace.logits, before)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


FORMATS = "awq gptq aqlm quanto quark eetq higgs hqq fbgemm_fp8 torchao bitnet vptq spqr nvfp4 auto-round sinq new"


@pytest.mark.parametrize("form", [*FORMATS.split(), "compressed-tensors", "bitsandbytes", None])
def test_quantised_weights_say_what_they_need(form: str | None, folder: Path) -> None:
    change(folder, quantization_config={"quant_method": form, "bits": 4, "load_in_8bit": form == "bitsandbytes"})
    with pytest.raises((PackageMissing, QuantisedWeights)) as caught:
        attnviz.load_model(folder)
    assert caught.value.name.startswith("tiny")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", "meta", None])
def test_a_device_that_is_not_there(device: Any, folder: Path) -> None:
    with pytest.raises(NoDevice, match="cpu"):
        attnviz.load_model(folder, device=device)


def test_numbers_of_four_bits_are_turned_back(tmp_path: Path) -> None:
    """As gpt-oss is published: two numbers of 4 bits in a byte, 32 of them with one power of two."""
    network = BUILD["gpt-oss"](vocab_size=300, hidden_size=64, intermediate_size=64, head_dim=16)
    folder = tmp_path / "tiny"
    network.save_pretrained(folder)
    byte_level().save_pretrained(folder)
    stored, expected = load_file(folder / "model.safetensors"), {}
    generator = torch.Generator().manual_seed(0)
    table = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    table = torch.cat([table, -table])
    for key in [key for key in stored if key.endswith(("gate_up_proj", "down_proj"))]:
        experts, rows, columns = stored.pop(key).shape
        blocks = torch.randint(0, 256, (experts, columns, rows // 32, 16), generator=generator, dtype=torch.uint8)
        scales = torch.randint(120, 126, (experts, columns, rows // 32), generator=generator, dtype=torch.uint8)
        stored |= {f"{key}_blocks": blocks, f"{key}_scales": scales}
        numbers = torch.stack([table[(blocks & 15).long()], table[(blocks >> 4).long()]], dim=-1).flatten(-2)
        powers = torch.exp2(scales.float() - 127)[..., None]
        expected[key] = (numbers * powers).flatten(-2).mT
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    change(folder, quantization_config={"quant_method": "mxfp4"})
    model = attnviz.load_model(folder)
    assert isinstance(model, HuggingFaceModel)
    opened = dict(model.network.named_parameters())
    for key, values in expected.items():
        torch.testing.assert_close(opened[key].float(), values)
    assert max(entry.max_abs_error for entry in attnviz.trace(model, "the cat").proof()) < 1e-5


def test_codes_that_nobody_explains_are_no_weights(folder: Path) -> None:
    stored = load_file(folder / "model.safetensors")
    key = "model.layers.0.mlp.up_proj.weight"
    stored[key] = stored[key].to(torch.int8)
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(QuantisedWeights, match="up_proj"):
        attnviz.load_model(folder)


def test_a_command_that_fails_in_an_unforeseen_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attnviz, "trace", lambda *_, **__: 1 / 0)
    assert main(["trace", "zoo/reverse", "a b"]) == 1
    assert capsys.readouterr().err.startswith("attnviz: attnviz itself failed")
    assert "ZeroDivisionError" in caplog.text
