"""Results of calls that are no linear steps: kept in a first pass, given at another strength in a second one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from attnviz.why.functions import NUMBERS, has_numbers, is_choice, tensors_of

__all__ = ["Results", "TapeDiffers"]


class TapeDiffers(BaseException):
    """The model took other steps in a second pass; no `Exception`, so that neither it nor a guard catches this."""


class _Result(NamedTuple):
    """Result of a call of a function."""

    name: str
    result: Any


class Results:
    """The results of one pass.

    Args:
        again: those of the first pass, to be given again; None: this is the first one.
        kept: there will be a second one.
    """

    def __init__(self, again: Results | None = None, kept: bool = False) -> None:
        self.again = again
        self._kept = kept
        self._results: list[_Result] = []
        self._strengths = torch.Generator().manual_seed(0)

    def give(self, name: str, run: Callable[[], Any], into: Any = None) -> Any:
        """Run something; in a second pass, give what it gave in the first, at another strength.

        So a number that leaves torch, or passes something unseen, is another one in the second pass.

        Args:
            name: name of the function.
            run: returns the result.
            into: what it writes to; None: it makes something new.

        Raises:
            TapeDiffers: the first pass ran another function here.
        """
        if self.again is None:
            result = run()
            if self._kept:
                held = result if into is None else [one.clone() for one in tensors_of(into)]
                self._results.append(_Result(name, held))
            return result
        at = len(self._results)
        if at >= len(self.again._results) or self.again._results[at].name != name:
            raise TapeDiffers(name)
        before = self.again._results[at]
        self._results.append(before)
        if not is_choice(before.result) or (name in NUMBERS and not isinstance(before.result, torch.Tensor)):
            return run()
        result = self._at_other_strength(before.result)
        if into is None:
            return result
        for one, made in zip(tensors_of(into), result, strict=True):
            one.copy_(made)
        return into

    def _at_other_strength(self, result: Any) -> Any:
        """Return a copy of what a function gave, its numbers times a factor; choices are held."""
        if isinstance(result, tuple | list):
            return type(result)([self._at_other_strength(one) for one in result])
        if not isinstance(result, torch.Tensor):
            return result
        factor = 0.5 + torch.rand((), generator=self._strengths)
        return result * factor.to(result) if has_numbers(result) else result.clone()
