"""How a text is to be written: strategy, filters, seed and length, as data with one short text for addresses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from attnviz.errors import PlanMisfit
from attnviz.errors.base import Why

__all__ = ["MOST_BEAMS", "MOST_NEW", "Plan", "Strategy"]

Strategy = Literal["greedy", "sample", "beam"]

MOST_NEW = 512  # tokens that are written at most
MOST_BEAMS = 16
MOST_TEMPERATURE = 100.0
MOST_SEED = 2**53 - 1  # every whole number up to it is one in a browser as well
LEAST_TEMPERATURE = 0.01


@dataclass(frozen=True)
class Plan:
    """How a text is to be written.

    Attributes:
        strategy: "greedy", the most probable token each time; "sample", a token drawn by its probability after the
            filters; "beam", the continuation with the highest score among those that were searched.
        temperature: what logits are divided by before a draw, from 0.01 to 100.
        top_k: draw among so many most probable tokens; None: among all.
        top_p: draw among the most probable tokens that together have this probability, above 0; None: among all.
        beams: continuations that are searched side by side, from 2 to 16.
        seed: of the draws: the same one gives the same text.
        max_new: tokens that are written at most.
        taken: ids of the tokens that the text begins with, whatever the strategy would have chosen.
        template: put the text into the model's chat template, where it has one.

    Raises:
        PlanMisfit: a value is outside of its bounds; the message says what to give.
    """

    strategy: Strategy = "greedy"
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    beams: int = 4
    seed: int = 0
    max_new: int = 20
    taken: tuple[int, ...] = ()
    template: bool = True

    def __post_init__(self) -> None:
        if self.strategy not in ("greedy", "sample", "beam"):
            raise PlanMisfit("strategy", Why("plan-strategy", given=self.strategy))
        if not _is_number(self.temperature) or not LEAST_TEMPERATURE <= self.temperature <= MOST_TEMPERATURE:
            limits = {"low": f"{LEAST_TEMPERATURE:g}", "high": f"{MOST_TEMPERATURE:g}"}
            raise PlanMisfit("temperature", Why("plan-temperature", given=self.temperature, **limits))
        if self.top_k is not None and not _is_whole(self.top_k, 1, 2**31):
            raise PlanMisfit("top_k", Why("plan-top-k", given=self.top_k))
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise PlanMisfit("top_p", Why("plan-top-p", given=self.top_p))
        for name, low, high in (("beams", 2, MOST_BEAMS), ("seed", 0, MOST_SEED), ("max_new", 1, MOST_NEW)):
            if not _is_whole(getattr(self, name), low, high):
                raise PlanMisfit(name, Why("plan-whole", low=low, high=high, given=getattr(self, name)))
        object.__setattr__(self, "taken", tuple(self.taken))
        if not all(_is_whole(token, 0, 2**31) for token in self.taken):
            raise PlanMisfit("taken", Why("plan-taken"))
        if len(self.taken) > self.max_new:
            raise PlanMisfit("taken", Why("plan-taken-many", given=len(self.taken), most=self.max_new))

    @classmethod
    def of(
        cls,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        beams: int | None = None,
        **rest: Any,
    ) -> Plan:
        """Return the plan that some settings ask for: beams search, a temperature or a filter draws, else greedy.

        Raises:
            PlanMisfit: beams and a temperature, or a filter, at once; or see `Plan`.
        """
        draws = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        draws = {name: value for name, value in draws.items() if value is not None}
        if beams is not None and draws:
            raise PlanMisfit("beams", Why("plan-both", other=next(iter(draws))))
        if beams is not None:
            return cls("beam", beams=beams, **rest)
        return cls("sample" if draws else "greedy", **draws, **rest)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        """The plan in one short line, which `read` reads: what is as by default, or of another strategy, is left out.

        Example:
            >>> Plan("sample", temperature=0.8, top_p=0.9, seed=1, taken=(5, 7)).text
            'sample,temperature=0.8,top_p=0.9,seed=1,taken=5.7'
        """
        used = {"sample": ("temperature", "top_k", "top_p", "seed"), "beam": ("beams",)}.get(self.strategy, ())
        said: list[str] = [self.strategy]
        for name in (*used, "max_new", "taken", "template"):
            value = getattr(self, name)
            if value != _DEFAULTS[name]:
                said.append(f"{name}={_written(value)}")
        return ",".join(said)

    @classmethod
    def read(cls, text: str) -> Plan:
        """Return the plan that `text` wrote, or that stands in somebody's address.

        Raises:
            PlanMisfit: it cannot be read, or see `Plan`.

        Example:
            >>> Plan.read("beam,beams=3,max_new=8").beams
            3
        """
        strategy, *settings = text.split(",")
        values: dict[str, Any] = {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals or name not in _DEFAULTS or name == "strategy" or name in values:
                raise PlanMisfit("plan", Why("plan-setting", given=setting[:40]))
            values[name] = _value(name, value)
        return cls(strategy, **values)  # type: ignore[arg-type]


_DEFAULTS: Mapping[str, Any] = {field.name: field.default for field in fields(Plan)}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(name: str, text: str) -> Any:
    """Return the value of a setting; `Plan` says whether it may be that."""
    if not text.isascii() or len(text) > 12 * MOST_NEW:
        raise PlanMisfit(name, Why("plan-setting", given=f"{name}={text[:40]}"))
    try:
        if name == "taken":
            return tuple(_whole(part) for part in text.split("."))
        if name == "template":
            return {"0": False, "1": True}[text]
        return float(text) if name in ("temperature", "top_p") else _whole(text)
    except (ValueError, KeyError) as error:
        raise PlanMisfit(name, Why("plan-setting", given=f"{name}={text[:40]}")) from error


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError(text[:20])
    return int(text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
