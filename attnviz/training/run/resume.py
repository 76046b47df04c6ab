"""Checkpoints, and the one file from which training goes on as if it had never stopped; safetensors, no pickle.

resume.safetensors
  weights                             of the network, all numbers one after the other
  exp_avg, exp_avg_sq                 the moments of AdamW likewise
  steps                               and its step counts, one a parameter
  generator, global_generator         of the training data, and torch's own (dropout)
  metadata                            step, rate_factor, seconds, shapes of the parameters

The parameters stand in the order of the optimizer's groups. A run saves every few steps: one tensor for all of them, in
memory that is taken once, is ten times as fast as a file of a hundred small ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_arrays
from safetensors.torch import save
from torch import Generator, Tensor, nn

from attnviz.bounded import MALFORMED, open_regular, reason
from attnviz.errors import RunCorrupt
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import TrainingState
from attnviz.training.run.files import write_atomically

__all__ = ["ResumeWriter", "Resumed", "check_weights", "load_resume", "load_weights", "save_weights"]

LARGE = 2**22  # numbers to resume from: 16 MB
MOMENTS = ("exp_avg", "exp_avg_sq")
GENERATORS = ("generator", "global_generator")


@dataclass(frozen=True)
class Resumed:
    """State from which training continues.

    Attributes:
        state: optimizer, generator, step and rate factor, for the network that was loaded along.
        seconds: seconds of training so far.
        global_generator: state of torch's own generator.
    """

    state: TrainingState
    seconds: float
    global_generator: Tensor


def save_weights(path: Path, network: nn.Module) -> None:
    """Write a checkpoint, whole or not at all."""
    write_atomically(path, save({name: tensor.contiguous() for name, tensor in _trained(network).items()}))


def load_weights(path: Path, network: nn.Module) -> None:
    """Put a checkpoint into a network of the same shape.

    Raises:
        RunCorrupt: it cannot be read, or belongs to another shape.
    """
    tensors, _ = _read(path, _shapes_in(network))
    try:
        network.load_state_dict(tensors, strict=False)  # the header named all that are trained
    except RuntimeError as error:
        raise _corrupt(path, error) from error


def check_weights(path: Path, network: nn.Module) -> None:
    """Hold the header of a checkpoint to the shape of a network, which may be one without memory for its weights.

    Raises:
        RunCorrupt: it cannot be read, or belongs to another shape.
    """
    _read(path, _shapes_in(network), only_header=True)


def _trained(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights and buffers by name, without those that no training changes."""
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in network.state_dict().items() if name not in frozen}


def _shapes_in(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in _trained(network).items()}


class ResumeWriter:
    """Saves one training state again and again.

    Args:
        state: what to save, as it is at every `save`.
    """

    def __init__(self, path: Path, state: TrainingState) -> None:
        self.path, self.state = path, state
        self._parameters = _parameters(state)
        self._sizes = [*[sum(parameter.numel() for parameter in self._parameters)] * 3, len(self._parameters)]
        self._numbers = torch.empty(sum(self._sizes))

    @property
    def large(self) -> bool:
        """Whether writing takes so long that it should not be done every few steps."""
        return self._numbers.numel() > LARGE

    def save(self, seconds: float, force: bool = True) -> None:
        """Write all that is needed to go on, whole or not at all; see `write_atomically`.

        Args:
            seconds: seconds of training so far.
            force: it onto the disk.

        Raises:
            FloatingPointError: a weight is not a number any more; what was saved before stays.
            OSError: the disk is full, or the folder cannot be written to; likewise.
        """
        self._collect()
        if not self._numbers[: self._sizes[0]].isfinite().all():
            raise FloatingPointError("a weight is not a number")
        generators = {"generator": self.state.generator.get_state(), "global_generator": torch.get_rng_state()}
        parts = dict(zip(("weights", *MOMENTS, "steps"), torch.split(self._numbers, self._sizes), strict=True))
        metadata = {
            "step": self.state.step,
            "rate_factor": self.state.rate_factor,
            "seconds": seconds,
            "shapes": _shapes(self._parameters),
        }
        arrays = {name: tensor.numpy() for name, tensor in (parts | generators).items()}
        data = save_arrays(arrays, {name: repr(value) for name, value in metadata.items()})
        write_atomically(self.path, data, force=force)

    @torch.no_grad()
    def _collect(self) -> None:
        """Copy weights, moments and step counts one after the other."""
        states = [self.state.optimizer.state.get(parameter) or _nothing(parameter) for parameter in self._parameters]
        tensors = [*self._parameters, *(state[name] for name in (*MOMENTS, "step") for state in states)]
        torch.cat([tensor.flatten() for tensor in tensors], out=self._numbers)


def _nothing(parameter: Tensor) -> dict[str, Tensor]:
    """Return AdamW's state of a parameter before its first step."""
    return {"step": torch.zeros(()), **{name: torch.zeros_like(parameter) for name in MOMENTS}}


def load_resume(path: Path, network: nn.Module, config: TrainConfig) -> Resumed:
    """Put the saved weights into a network of the same shape, and the rest into a training state for it.

    Raises:
        RunCorrupt: the file cannot be read, or belongs to another shape.
    """
    state = TrainingState.begin(network, config)
    parameters = _parameters(state)
    n = sum(parameter.numel() for parameter in parameters)
    generators = {name: tuple(state.generator.get_state().shape) for name in GENERATORS}
    tensors, numbers = _read(
        path, dict.fromkeys(("weights", *MOMENTS), (n,)) | {"steps": (len(parameters),)} | generators
    )
    try:
        if numbers["shapes"] != repr(_shapes(parameters)):
            raise ValueError("size mismatch: it was saved by a network of another shape")
        state.step = int(numbers["step"])
        state.rate_factor = float(numbers["rate_factor"])
        state.generator.set_state(tensors["generator"])
        with torch.no_grad():
            for parameter, saved in zip(parameters, _parts(tensors["weights"], parameters), strict=True):
                parameter.copy_(saved)
        steps = [step.clone() for step in tensors["steps"]]
        moments = (_parts(tensors[name], parameters) for name in MOMENTS)
        for parameter, *values in zip(parameters, steps, *moments, strict=True):
            state.optimizer.state[parameter] = dict(zip(("step", *MOMENTS), values, strict=True))
        Generator().set_state(tensors["global_generator"])  # whether it is one
        return Resumed(state, float(numbers["seconds"]), tensors["global_generator"])
    except (*MALFORMED, RuntimeError) as error:
        raise _corrupt(path, error) from error


def _parameters(state: TrainingState) -> list[Tensor]:
    return [parameter for group in state.optimizer.param_groups for parameter in group["params"]]


def _shapes(parameters: Sequence[Tensor]) -> str:
    return " ".join("x".join(map(str, parameter.shape)) for parameter in parameters)


def _parts(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors that a flat one is put together from, each for itself, for they are written into."""
    pieces = torch.split(flat, [tensor.numel() for tensor in like])
    return [piece.view_as(tensor).clone() for piece, tensor in zip(pieces, like, strict=True)]


def _read(
    path: Path, expected: Mapping[str, tuple[int, ...]], only_header: bool = False
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file, whose header must name the tensors that are expected, of these shapes."""
    try:
        open_regular(path).close()  # not a pipe, which would be waited for
        with safe_open(path, framework="pt") as file:
            given = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            if given != expected:
                name = min(name for name in {**given, **expected} if given.get(name) != expected.get(name))
                there = given.get(name, "not there")
                raise ValueError(
                    f"size mismatch: it was saved by a network of another shape: {name} is {there} and should be "
                    f"{expected.get(name, 'absent')}"
                )
            names = () if only_header else given
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (SafetensorError, RuntimeError, *MALFORMED) as error:
        raise _corrupt(path, error) from error


def _corrupt(path: Path, error: Exception) -> RunCorrupt:
    folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    return RunCorrupt(folder.name, path.name, reason(error))
