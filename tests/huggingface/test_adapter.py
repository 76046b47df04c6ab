"""A folder with an adapter is opened with it, or refused; never shown as its base."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file

import attnviz
from attnviz.errors import AdapterFolder, ModelCorrupt, ModelMismatch, ModelNotFound, NotAModel, UnsafeWeights
from attnviz.huggingface import adapter
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def adapted(network: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = peft.LoraConfig(r=3, target_modules=["o_proj", "v_proj"], init_lora_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peft.get_peft_model(network, config).eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-lora"
    network = BUILD["Llama"](vocab_size=300)
    network.save_pretrained(folder)
    byte_level().save_pretrained(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted(network).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "tiny-lora"))


def outputs(trace: attnviz.Trace) -> torch.Tensor:
    site = trace.sites[0]
    return torch.stack([site.output(head) for head in range(site.n_heads)]).sum(0)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("merged", [False, True])
def test_a_model_with_an_adapter_by_peft(merged: bool) -> None:
    network = BUILD["Llama"](vocab_size=300)
    around = adapted(network)
    if merged:
        around.merge_adapter()
    made: list[torch.Tensor] = []
    handle = network.model.layers[0].self_attn.register_forward_hook(lambda module, args, made_: made.append(made_[0]))
    with torch.inference_mode():
        own = around(**byte_level()("the cat sat", return_tensors="pt")).logits[0]
    handle.remove()
    trace = attnviz.trace(around, "the cat sat", tokenizer=byte_level())
    torch.testing.assert_close(trace.logits, own, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(outputs(trace), made[0][0], atol=1e-4 * float(made[0].abs().max()), rtol=0)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    with around.disable_adapter():
        plain = attnviz.trace(around, "the cat sat", tokenizer=byte_level())
        if not merged:
            assert (outputs(plain) - outputs(trace)).abs().max() > 1e-3
        assert max(entry.max_abs_error for entry in plain.proof()) < 1e-5


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_folder_opens_with_its_adapter(folder: Path) -> None:
    trace = attnviz.trace(attnviz.load_model(folder), "the cat sat")
    with torch.inference_mode():
        own = adapted(BUILD["Llama"](vocab_size=300))(input_ids=torch.tensor([trace.token_ids])).logits[0]
    torch.testing.assert_close(trace.logits, own, atol=1e-4, rtol=1e-4)
    assert trace.sites[0].d_model == 48
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_without_peft_it_is_refused_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "is_peft_available", lambda: False)
    name_base(folder, "somebody/llama")
    with pytest.raises(AdapterFolder, match=r"tiny-lora holds an adapter of somebody/llama.*peft is not installed"):
        attnviz.load_model(folder)


def name_base(folder: Path, name: str) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": name}))


def test_an_adapter_alone_is_refused_and_its_base_never_looked_for(folder: Path, saved: Path) -> None:
    name_base(folder, str(saved))
    (folder / "config.json").unlink()
    with pytest.raises(AdapterFolder, match="its base model is not in the folder"):
        attnviz.load_model(folder)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_is_missing_of_base_or_adapter_is_said(folder: Path) -> None:
    weights = load_file(folder / "adapter_model.safetensors")
    first = sorted(weights)[0]
    save_file({key: value for key, value in weights.items() if key != first}, folder / "adapter_model.safetensors")
    with pytest.raises(ModelMismatch, match="lora_A"):
        attnviz.load_model(folder)
    save_file(weights, folder / "adapter_model.safetensors")
    base = load_file(folder / "model.safetensors")
    base.pop("model.layers.1.self_attn.o_proj.weight")
    save_file(base, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelMismatch, match=r"layers\.1\.self_attn\.o_proj"):
        attnviz.load_model(folder)


def test_damaged_or_pickled_adapters(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(UnsafeWeights, match=r"adapter_model\.bin"):
        attnviz.load_model(folder)
    (folder / "adapter_model.bin").unlink()
    with pytest.raises(ModelNotFound, match=r"adapter_model\.safetensors"):
        attnviz.load_model(folder)
    (folder / "adapter_config.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"adapter_config\.json"):
        attnviz.load_model(folder)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_tokens_before_the_text_are_no_part_of_the_model() -> None:
    around = peft.get_peft_model(
        BUILD["Llama"](vocab_size=300), peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    )
    with pytest.raises(NotAModel, match="tokens of its own"):
        attnviz.trace(around, "the cat", tokenizer=byte_level())
