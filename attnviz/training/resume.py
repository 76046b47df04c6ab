"""Checkpoints, and the one file from which training goes on as if it had never stopped; safetensors, no pickle.

resume.safetensors
  weights/<name>                      the network
  optimizer/<index>/<name>            moments and step count of AdamW, parameters in the order of its groups
  generator, global_generator         of the training data, and torch's own (dropout)
  metadata                            step, rate_factor, seconds
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from attnviz.errors import RunCorrupt
from attnviz.models.transformer import Transformer
from attnviz.training.config import TrainConfig
from attnviz.training.files import write_atomically
from attnviz.training.loop import TrainingState

__all__ = ["Resumed", "load_resume", "load_weights", "save_resume", "save_weights"]


@dataclass(frozen=True)
class Resumed:
    """What training goes on with.

    Attributes:
        state: optimizer, generator, step and rate factor, for the network that was loaded along.
        seconds: of training so far.
        global_generator: state of torch's own generator.
    """

    state: TrainingState
    seconds: float
    global_generator: Tensor


def save_weights(path: Path, network: Transformer) -> None:
    """Write a checkpoint, whole or not at all."""
    write_atomically(path, save(_weights(network)))


def load_weights(path: Path, network: Transformer) -> None:
    """Put a checkpoint into a network of the same shape.

    Raises:
        RunCorrupt: it cannot be read, or belongs to another shape.
    """
    _load_weights(path, network, _read(path)[0])


def save_resume(path: Path, network: Transformer, state: TrainingState, seconds: float) -> None:
    """Write all that is needed to go on, whole or not at all."""
    tensors = {f"weights/{name}": tensor for name, tensor in _weights(network).items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": tensor.contiguous() for name, tensor in moments.items()}
    tensors["generator"] = state.generator.get_state()
    tensors["global_generator"] = torch.get_rng_state()
    numbers = {"step": state.step, "rate_factor": state.rate_factor, "seconds": seconds}
    write_atomically(path, save(tensors, {name: repr(value) for name, value in numbers.items()}))


def load_resume(path: Path, network: Transformer, config: TrainConfig) -> Resumed:
    """Put the saved weights into a network of the same shape, and the rest into a training state for it.

    Raises:
        RunCorrupt: the file cannot be read, or belongs to another shape.
    """
    tensors, numbers = _read(path)
    _load_weights(path, network, _below("weights/", tensors))
    state = TrainingState.begin(network, config)
    parameters = [parameter for group in state.optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    try:
        for key, tensor in _below("optimizer/", tensors).items():
            index, name = key.split("/")
            if name != "step" and tensor.shape != parameters[int(index)].shape:
                raise ValueError(f"{key} has the shape {tuple(tensor.shape)}")
            moments.setdefault(int(index), {})[name] = tensor
        state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": moments})
        state.generator.set_state(tensors["generator"])
        state.step = int(numbers["step"])
        state.rate_factor = float(numbers["rate_factor"])
        return Resumed(state, float(numbers["seconds"]), tensors["global_generator"])
    except (KeyError, IndexError, ValueError, RuntimeError, TypeError) as error:
        raise _corrupt(path, error) from error


def _weights(network: Transformer) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _corrupt(path, error) from error


def _load_weights(path: Path, network: Transformer, weights: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _corrupt(path, error) from error


def _corrupt(path: Path, error: Exception) -> RunCorrupt:
    folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    return RunCorrupt(folder.name, path.name, " ".join(str(error).split()))
