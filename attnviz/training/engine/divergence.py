"""Detect a diverging run by its loss alone."""

from __future__ import annotations

from math import inf

__all__ = ["LossWatch"]

MEMORY = 0.9  # of the running mean: about ten steps
DIVERGED = 1.3  # times the loss of a uniform guess
MEAN_RISE, BATCH_RISE = 0.1, 0.25  # of that loss: what noise does to a mean and to one batch


class LossWatch:
    """Watch the loss of a run for divergence: a loss worse than that of a uniform guess.

    A uniform guess over the outputs has a loss of log(n_outputs) nats. A network may begin
    above that, but never gets back up there unless its learning rate is too high. So the running mean of the loss is
    compared with the higher of that and the lowest running mean so far. A loss that stays at chance is not
    running away, and neither is a single bad batch.

    Example:
        >>> from math import log
        >>> watch = LossWatch(log(20))
        >>> for loss in (3.4, 3.0, 2.9, 3.0, 2.9):
        ...     watch.see(loss)
        >>> watch.sane, watch.diverged
        (True, False)
        >>> for loss in (6.0, 9.0, 12.0):
        ...     watch.see(loss)
        >>> watch.sane, watch.diverged
        (False, True)
    """

    def __init__(self, uniform: float) -> None:
        """Start with the loss of a uniform guess."""
        self._uniform = uniform
        self._first = self._last = self._mean = self._lowest = inf  # before the first step

    def see(self, loss: float) -> None:
        """Take the loss of the next step."""
        if self._first == inf:
            self._first = self._mean = loss
        self._mean = MEMORY * self._mean + (1 - MEMORY) * loss
        self._lowest = min(self._lowest, self._mean)
        self._last = loss

    @property
    def sane(self) -> bool:
        """Whether the loss is as low as ever, up to noise, so that the weights are worth keeping."""
        mean_limit, batch_limit = (self._lowest + rise * self._uniform for rise in (MEAN_RISE, BATCH_RISE))
        return self._mean <= mean_limit and self._last <= batch_limit

    @property
    def diverged(self) -> bool:
        """Whether the loss is so high that the run will not recover."""
        return self._first < inf and self._mean > DIVERGED * max(self._uniform, self._lowest)

    @property
    def learned(self) -> bool:
        """Whether there is anything to lose: the loss was once half of what it began with."""
        return self._lowest < self._first / 2
