"""Which tensors of a forward pass are known: as steps, as choices of the stream, and by the memory that they share."""

from __future__ import annotations

import weakref
from typing import Any

from torch import Tensor

from attnviz.why.steps import Step

__all__ = ["Known", "memory_of"]


def memory_of(tensor: Tensor) -> int:
    """Return where a tensor's memory begins."""
    return tensor.untyped_storage().data_ptr()


class Known:
    """Tensors of a pass, none of which is kept alive."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[weakref.ref[Tensor], Step]] = {}
        self._choices: dict[int, weakref.ref[Tensor]] = {}
        self._sharing: dict[int, list[weakref.ref[Tensor]]] = {}  # by their memory
        self._values: dict[int, list[Step]] = {}  # steps that keep a value, likewise

    def clear(self) -> None:
        """Forget all of them."""
        for each in (self._steps, self._choices, self._sharing, self._values):
            each.clear()

    def get(self, tensor: Any) -> Step | None:
        """Return the step that a tensor is; None: it is nothing of the stream."""
        known = self._steps.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def put(self, tensor: Tensor, step: Step) -> None:
        """Say which step a tensor is."""
        reference = weakref.ref(tensor)
        self._steps[id(tensor)] = reference, step
        step.is_complex = tensor.is_complex()
        self._sharing.setdefault(memory_of(tensor), []).append(reference)

    def choose(self, tensor: Tensor) -> None:
        """Say that the stream decided a tensor, such as the numbers of experts."""
        self._choices[id(tensor)] = weakref.ref(tensor)

    def is_choice(self, value: Any) -> bool:
        """Whether the stream decided it."""
        known = self._choices.get(id(value))
        return known is not None and known() is value

    def sharing(self, tensor: Tensor) -> list[Tensor]:
        """Return other tensors of the stream that see what is written to one."""
        found = (reference() for reference in self._sharing.get(memory_of(tensor), ()))
        return [one for one in found if one is not None and one is not tensor and self.get(one) is not None]

    def keep(self, step: Step) -> None:
        """Note that a step keeps a value, whose memory the model may write to."""
        assert step.value is not None  # the caller saw to it
        self._values.setdefault(memory_of(step.value), []).append(step)

    def before_writing(self, tensor: Any) -> None:
        """Copy the values of steps that a function is about to write to."""
        for step in self._values.pop(memory_of(tensor), ()) if isinstance(tensor, Tensor) else ():
            if step.value is not None:
                step.value = step.value.clone()
