"""Opening folders: what is whole opens, and each thing that is wrong has its own message."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

import attnviz
from attnviz.errors import (
    HubNotFound,
    ModelCorrupt,
    ModelLoadError,
    ModelMismatch,
    ModelNotFound,
    NoTokenizer,
    RemoteCode,
    TokenizerMismatch,
    UnknownArchitecture,
    UnsafeWeights,
)
from attnviz.huggingface import HuggingFaceModel
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level, unigram, word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def save(folder: Path, network: Any, tokenizer: Any = None, **options: Any) -> Path:
    network.save_pretrained(folder, **options)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("models") / "tiny-bert", BUILD["BERT"](), word_piece())


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "tiny-bert"))


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


@pytest.mark.parametrize(
    ("name", "tokenizer"), [("GPT-2", byte_level), ("BERT", word_piece), ("T5", unigram), ("Llama", byte_level)]
)
def test_a_saved_model_opens_with_the_same_numbers(name: str, tokenizer: Callable[[], Any], tmp_path: Path) -> None:
    network, words = BUILD[name](vocab_size=300), tokenizer()
    model = attnviz.load_model(save(tmp_path / "model", network, words))
    assert isinstance(model, HuggingFaceModel)
    one = attnviz.trace(model, "the cat sat", None)
    two = attnviz.trace(network, "the cat sat", None, tokenizer=words)
    assert one.tokens == two.tokens
    stored = model.network.state_dict()
    assert all(torch.equal(stored[name], weight) for name, weight in network.state_dict().items())
    for a, b in zip(one.sites, two.sites, strict=True):  # products may round by where in memory the weights lie
        torch.testing.assert_close(a.q, b.q, rtol=1e-5, atol=1e-5)
    assert (model.facts.name, model.facts.kind) == ("model", type(network).__name__)
    assert model.facts.n_parameters == network.num_parameters()


def test_shards_open_too(tmp_path: Path) -> None:
    folder = save(tmp_path / "shards", BUILD["GPT-2"](vocab_size=300), byte_level(), max_shard_size="50kB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert len(attnviz.trace(attnviz.load_model(folder), "the cat").sites) == 2


def test_an_image_model_brings_its_processor(tmp_path: Path) -> None:
    folder = save(tmp_path / "vit", BUILD["ViT"]())
    with pytest.raises(NoTokenizer):
        attnviz.load_model(folder)
    hf.ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(folder)
    model = attnviz.load_model(folder)
    assert isinstance(model, HuggingFaceModel)
    assert model.processor is not None


def test_numbers_are_kept_as_they_are_stored(tmp_path: Path) -> None:
    half = save(tmp_path / "half", BUILD["BERT"]().to(torch.bfloat16), word_piece())
    assert attnviz.load_model(half).network.dtype == torch.bfloat16  # type: ignore[union-attr]
    assert attnviz.load_model(half, dtype=torch.float32).network.dtype == torch.float32  # type: ignore[union-attr]
    short = save(tmp_path / "short", BUILD["BERT"]().to(torch.float16), word_piece())
    assert attnviz.load_model(short).network.dtype == torch.float32  # type: ignore[union-attr]


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def list_config(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def odd_config(folder: Path) -> None:
    change_config(folder, hidden_size="large")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def not_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04}q\x00.")


def fewer_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("bert.encoder.layer.1.attention.self.key.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def other_weights(folder: Path) -> None:
    change_config(folder, hidden_size=96)


def unknown(folder: Path) -> None:
    change_config(folder, model_type="brandnew", architectures=["BrandNewLM"])


def unnamed(folder: Path) -> None:
    change_config(folder, model_type=None)


def remote(folder: Path) -> None:
    change_config(folder, model_type="brandnew", auto_map={"AutoModel": "modeling_brandnew.BrandNew"})
    (folder / "modeling_brandnew.py").write_text("raise SystemExit('was run')")


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model":')


def other_tokenizer(folder: Path) -> None:
    byte_level().save_pretrained(folder)


WRONG: list[tuple[Callable[[Path], None], type[ModelLoadError], str]] = [
    (broken_config, ModelCorrupt, "config.json cannot be read"),
    (list_config, ModelCorrupt, "config.json cannot be read"),
    (odd_config, ModelCorrupt, "config.json"),
    (no_weights, ModelNotFound, "model.safetensors not found"),
    (pickled, UnsafeWeights, "pytorch_model.bin"),
    (truncated, ModelCorrupt, "model.safetensors"),
    (not_safetensors, ModelCorrupt, "model.safetensors"),
    (fewer_weights, ModelMismatch, "bert.encoder.layer.1.attention.self.key.weight"),
    (other_weights, ModelMismatch, "has another shape"),
    (unknown, UnknownArchitecture, "brandnew"),
    (unnamed, UnknownArchitecture, "BertForMaskedLM"),
    (remote, RemoteCode, "never run"),
    (no_tokenizer, NoTokenizer, "tokenizer.json"),
    (broken_tokenizer, ModelCorrupt, "tokenizer"),
    (other_tokenizer, TokenizerMismatch, "290 tokens, the model knows 97"),
    (no_config, ModelNotFound, "config.json not found"),
]


@pytest.mark.parametrize(("damage", "error", "words"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_what_is_wrong_with_a_folder(
    damage: Callable[[Path], None], error: type[ModelLoadError], words: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(error) as caught:
        attnviz.load_model(folder)
    assert words in str(caught.value)
    assert "tiny-bert" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert str(folder.parent) not in str(caught.value)  # where it lies is nobody's business


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="the folder not found"):
        attnviz.load_model(tmp_path / "absent")


def test_a_model_that_the_hub_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def absent(name: str, **options: Any) -> str:
        raise LocalEntryNotFoundError("Cannot find an appropriate cached snapshot folder")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", absent)
    with pytest.raises(HubNotFound, match="hf:nobody/nothing"):
        attnviz.load_model("hf:nobody/nothing")


def the_hub(monkeypatch: pytest.MonkeyPatch, cached: Path | None, there: Path) -> list[dict[str, Any]]:
    """A stand-in: what is in the local cache, and what can be downloaded. Returns what was asked for."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked: list[dict[str, Any]] = []

    def snapshot(name: str, **options: Any) -> str:
        asked.append({"name": name, "local": options.get("local_files_only", False), **options})
        if not asked[-1]["local"]:
            return str(there)
        if cached is None:
            raise LocalEntryNotFoundError("Cannot find an appropriate cached snapshot folder")
        return str(cached)

    monkeypatch.delenv("ATTNVIZ_DOWNLOADS", raising=False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    return asked


def test_a_name_of_the_hub_is_consent_to_download(monkeypatch: pytest.MonkeyPatch, whole: Path) -> None:
    asked = the_hub(monkeypatch, None, whole)
    assert attnviz.load_model("hf:somebody/tiny").facts.name == "hf:somebody/tiny"
    assert [(each["name"], each["local"]) for each in asked] == [("somebody/tiny", True), ("somebody/tiny", False)]
    patterns = asked[-1]["allow_patterns"]
    assert not any(pattern.endswith((".py", ".bin")) for pattern in patterns)  # no code, no pickles


def test_what_is_in_the_local_cache_opens_without_asking(monkeypatch: pytest.MonkeyPatch, whole: Path) -> None:
    asked = the_hub(monkeypatch, whole, whole)
    assert attnviz.load_model("hf:somebody/tiny").facts.name == "hf:somebody/tiny"
    assert [each["local"] for each in asked] == [True]


def test_what_is_not_whole_in_the_cache_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, whole: Path, tmp_path: Path
) -> None:
    part = tmp_path / "part"
    shutil.copytree(whole, part)
    (part / "model.safetensors").unlink()
    asked = the_hub(monkeypatch, part, whole)
    attnviz.load_model("hf:somebody/tiny")
    assert [each["local"] for each in asked] == [True, False]
