"""Folders that hold an adapter, such as LoRA: opened with it, or not at all."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel
from transformers.utils import is_peft_available

from attnviz.bounded import read_json, reason
from attnviz.errors import AdapterFolder, ModelCorrupt, ModelNotFound, UnsafeWeights
from attnviz.errors.base import Why
from attnviz.models.weight_files import weight_files

__all__ = ["base_weights", "check_adapter", "put_on_adapter"]

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


def check_adapter(folder: Path, name: str) -> bool:
    """Whether a folder holds an adapter; one that does holds its base model too, and peft is installed.

    The base model is never looked for anywhere else, whatever the file says.

    Raises:
        AdapterFolder: the base model is not in the folder, or peft is not installed.
        ModelCorrupt: its configuration cannot be read.
        ModelNotFound, UnsafeWeights: its weights are missing, or would have to be unpickled.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        return False
    try:
        base = str(read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path"))[:100]
    except (OSError, ValueError) as error:
        raise ModelCorrupt(name, ADAPTER_CONFIG, reason(error)) from error
    if not (folder / "config.json").is_file():
        raise AdapterFolder(name, base, Why("no-base"))
    if not is_peft_available():
        raise AdapterFolder(name, base, Why("no-peft"))
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickled = ADAPTER_WEIGHTS.replace(".safetensors", ".bin")
        raise UnsafeWeights(name, pickled) if (folder / pickled).is_file() else ModelNotFound(name, ADAPTER_WEIGHTS)
    return True


def base_weights(folder: Path, name: str) -> dict[str, Tensor]:
    """Return the weights of the base model in a folder, by name.

    Raises:
        ModelNotFound, UnsafeWeights, ModelCorrupt: as `weight_files`.
    """
    return {key: tensor for path in weight_files(folder, name) for key, tensor in load_file(path).items()}


def put_on_adapter(network: PreTrainedModel, folder: Path) -> set[str]:
    """Put the adapter in a folder on its base model, by peft.

    Returns:
        Names of the adapter's tensors that are missing, or of another shape.
    """
    report = network.load_adapter(str(folder))
    return {*report.missing_keys, *(key for key, *_ in report.mismatched_keys)}
