"""Comparing numbers so that none of them is lost: one that is not a number is the largest error of all."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

__all__ = ["difference", "largest", "worst"]


def largest(numbers: Tensor) -> float:
    """max |x| of all numbers: 0.0 where there are none, nan where one of them is none.

    Example:
        >>> import torch
        >>> largest(torch.tensor([1.0, -2.0])), largest(torch.tensor([1.0, torch.nan]))
        (2.0, nan)
    """
    return float(numbers.abs().max()) if numbers.numel() else 0.0


def worst(errors: Iterable[float]) -> float:
    """The largest of some errors: 0.0 without any, nan where one of them is none; `max` would depend on the order.

    Example:
        >>> worst([0.0, float("nan"), 1.0])
        nan
    """
    found = list(errors)
    return next((error for error in found if error != error), max(found, default=0.0))


def difference(one: Tensor, other: Tensor) -> float:
    """max |one - other| in units of the largest number of `one`, where that is above 1; nan equals nan.

    Infinite where shape, kind of numbers or device differ, or where only one of the two is a number.
    """
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return float("inf")
    if one.equal(other):
        return 0.0
    a, b = one.float(), other.float()
    differs = (a != b) & ~(a.isnan() & b.isnan())
    error = largest((a - b)[differs])
    return float("inf") if error != error else error / max(1.0, largest(a[a.isfinite()]))
