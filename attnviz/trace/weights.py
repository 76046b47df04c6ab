"""Weights that a trace refers to: given out as they were when it was taken, or not at all.

A trace keeps references, so that taking it costs nothing. What it refers to of the model may be changed later: trained
in place, edited, replaced. So a trace remembers which tensors the model had, how often each was written to and a few
numbers of each; torch counts neither edits of `parameter.data` nor the steps of fused optimizers. What the trace
multiplies by or gives out itself is held more closely: W_Q, W_K, W_V and W_O by a checksum, the unembedding by what it
makes of one fixed vector. Both are computed once for each state of a model, by the first trace of it.
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from attnviz.errors import ModelChanged
from attnviz.trace.compare import largest
from attnviz.trace.site import AttentionSite, Held

__all__ = ["HeldLayer", "HeldMatrix", "Parameters"]

SPOT = 8  # bytes
LOGITS = "logits"  # name of the unembedding
FEW, MANY = 2, 32  # spots of a tensor that are looked at: of every parameter; of those that a trace multiplies by
_at = ctypes.c_uint64.from_address


@dataclass
class _Known:
    """Something of a model in one state: by what that state is told, and what was computed of it."""

    state: object
    checksum: int = 0
    copy: Tensor | None = None
    probed: Tensor | None = None


_known: WeakKeyDictionary[nn.Module, dict[str, _Known]] = WeakKeyDictionary()
_lock = Lock()


class HeldMatrix(Held):
    """One of a model's own matrices: copied when somebody first looks, once for all traces of that state.

    Args:
        network: network that it belongs to.
        model: name for messages.
        name: name of the matrix in the network.
        tensor: the matrix, or a view of it.
    """

    def __init__(self, network: nn.Module, model: str, name: str, tensor: Tensor) -> None:
        self.shape = tensor.shape
        self._network, self._model, self._name, self._tensor = network, model, name, tensor.detach()
        stamp = _stamp(self._tensor, MANY)
        with _lock:
            known = _known.setdefault(network, {})
            if name not in known or known[name].state != stamp:
                known[name] = _Known(stamp, _checksum(self._tensor))
            self._then = known[name]

    def take(self, site: AttentionSite) -> Tensor:
        then = self._then
        if then.copy is None:
            if _stamp(self._tensor, MANY) != then.state or _checksum(self._tensor) != then.checksum:
                _forget(self._network, self._name)
                raise ModelChanged(self._model, self._name)
            with torch.inference_mode(False):  # whoever looks first, others may want gradients through it
                then.copy = self._tensor.clone()
        return then.copy


class HeldLayer:
    """The unembedding of a model: run again only while it makes of a fixed vector what it made of it at the time.

    Args:
        network: network that it belongs to.
        model: name for messages.
        layer: reads rows (n, d_model).
        stream: what it read (T, d_model), for its width and kind of numbers.
    """

    def __init__(self, network: nn.Module, model: str, layer: nn.Module, stream: Tensor) -> None:
        self._network, self._model, self._layer = network, model, layer
        width = stream.shape[-1]
        vector = torch.randn(1, width, generator=torch.Generator().manual_seed(0))
        self._probe = vector.to(stream.device, stream.dtype)
        state = tuple(_stamp(tensor, MANY) for tensor in layer.state_dict(keep_vars=True).values())
        with _lock:
            known = _known.setdefault(network, {})
            if LOGITS not in known or known[LOGITS].state != state:
                known[LOGITS] = _Known(state, probed=layer(self._probe)[0])
            self._then = known[LOGITS]

    @property
    def width(self) -> int:
        """Numbers that the layer makes of a row."""
        assert self._then.probed is not None  # computed with it
        return len(self._then.probed)

    def __call__(self, rows: Tensor) -> Tensor:
        """Apply the layer to rows (n, d_model).

        Raises:
            ModelChanged: it is another one by now.
        """
        before = self._then.probed
        assert before is not None  # computed with it
        try:
            made: Tensor = self._layer(torch.cat([rows, self._probe]))
        except RuntimeError as error:
            self._fail(error)
        limit = max(1e-5, 4 * torch.finfo(before.dtype).eps) * max(1.0, largest(before.float()))
        if made.shape[1:] != before.shape or made.dtype != before.dtype or made.device != before.device:
            self._fail()
        if not largest(made[-1].float() - before.float()) <= limit:
            self._fail()
        return made[:-1]

    def direction(self, row: Tensor, signs: Mapping[int, float]) -> tuple[Tensor, float, float]:
        """Return the gradient (d_model,) of a sum of outputs at a row (d_model,), the sum there, and that of zeros.

        Args:
            row: row that the layer reads.
            signs: factor of each output in the sum.

        Raises:
            ModelChanged: the layer is another one by now.
        """
        with torch.inference_mode():
            self(row[None][:0])
        with torch.inference_mode(False), torch.enable_grad():
            given = torch.stack([row, torch.zeros_like(row)]).clone().requires_grad_()
            made = self._layer(given)
            sums = sum(made[:, output].float() * sign for output, sign in signs.items())
            assert isinstance(sums, Tensor)  # there is one output at least
            gradient = torch.autograd.grad(sums[0], given)[0][0]
        logit, rest = sums.detach().tolist()
        return gradient.float(), logit, rest

    def _fail(self, cause: Exception | None = None) -> NoReturn:
        _forget(self._network, LOGITS)
        raise ModelChanged(self._model, LOGITS) from cause


class Parameters:
    """All parameters of a model at the time of a trace: which they are, and how often each was written to.

    Args:
        model: name for messages.
    """

    def __init__(self, network: nn.Module, model: str) -> None:
        self._network, self._model = network, model
        self._then = _stamps(network)

    @property
    def state(self) -> tuple[tuple[int, ...], ...]:
        """Stamps that tell the model at that time from the model before and after."""
        return tuple(self._then)

    def check(self) -> None:
        """Compare with the model as it is.

        Raises:
            ModelChanged: a parameter was written to, moved, replaced, added or removed.
        """
        now = _stamps(self._network)
        if now != self._then:
            before, paths = set(self._then), dict(self._network.named_parameters())
            changed = (path for path, tensor in paths.items() if (id(tensor), *_stamp(tensor, FEW)) not in before)
            raise ModelChanged(self._model, next(changed, type(self._network).__name__))


def _stamps(network: nn.Module) -> list[tuple[int, ...]]:
    modules = network.modules()
    found = (parameter for module in modules for parameter in module._parameters.values() if parameter is not None)
    return [(id(parameter), *_stamp(parameter, FEW)) for parameter in found]


def _stamp(tensor: Tensor, spots: int) -> tuple[int, ...]:
    """Tell a tensor by its address, its version counter and a few numbers, without reading all of it."""
    version = 0 if tensor.is_inference() else tensor._version  # those of inference mode have no counter
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout is not torch.strided:
        return (version,)  # one that hides others
    address, size = tensor.data_ptr(), tensor.nbytes
    dense = tensor.is_contiguous() or (tensor.ndim == 2 and tensor.T.is_contiguous())
    if not (tensor.is_cpu and dense and address and size > SPOT * (spots + 1)):
        return address, version
    places = (address + (size * spot // (spots + 1)) // SPOT * SPOT for spot in range(1, spots + 1))
    return address, version, *(_at(place).value for place in places)


def _forget(network: nn.Module, name: str) -> None:
    """Let the next trace learn anew what a model is."""
    with _lock:
        _known.get(network, {}).pop(name, None)


def _checksum(tensor: Tensor) -> int:
    tensor = tensor.T if tensor.ndim == 2 and tensor.T.is_contiguous() else tensor  # not copied
    numbers = tensor.contiguous().flatten().view(torch.uint8).cpu().numpy()
    return zlib.crc32(numbers.data)
