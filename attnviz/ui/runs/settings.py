"""Settings of runs as people read them, under the names that the Training page gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnviz import locale
from attnviz.training import RunConfig
from attnviz.training.run.settings import Value, differing
from attnviz.ui.frame.language import current, say
from attnviz.ui.training.draft import SETTINGS
from attnviz.ui.training.tuning_said import short_method
from attnviz.ui.training.varied import METHOD

__all__ = ["told_differences", "told_setting", "told_value"]

NAMES: Mapping[str, str] = {setting.field: name for name, setting in SETTINGS.items()}
MOST = 6  # differences that are told of a run


def told_setting(field: str) -> str:
    """Return the title of a setting; its own name where the Training page has none for it."""
    if field == METHOD:
        return say("tuning.method")
    if field.startswith("task."):
        key = f"training.parameter.{field.removeprefix('task.')}"
        return say(key) if locale.has(current(), key) else field
    return say(f"training.set.{NAMES[field]}") if field in NAMES else field


def told_value(field: str, value: Value) -> str:
    """Return the value of a setting."""
    if field == METHOD:
        return short_method(value)
    key = f"training.{NAMES.get(field, field)}.{value}"
    if value is None:
        return say("training.off")
    if isinstance(value, str) and locale.has(current(), key):
        return say(key)
    return f"{value:g}" if isinstance(value, float) else str(value)


def told_differences(configs: Sequence[RunConfig]) -> list[str]:
    """Return of each run the settings in which it differs from others; "" where it does not."""
    columns = differing(configs)
    shown = list(columns)[:MOST]
    more = [say("runs.differs.more", n=len(columns) - MOST)] if len(columns) > MOST else []

    def told(number: int) -> str:
        pairs = [(field, columns[field][number]) for field in shown]
        facts = [f"{told_setting(field)} {told_value(field, value)}" for field, value in pairs if value is not None]
        return locale.listed(current(), facts + more) if facts else ""

    return [told(number) for number in range(len(configs))]
