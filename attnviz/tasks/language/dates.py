"""Date normalisation: a date as people write it, to year-month-day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from random import Random

import torch
from torch import Generator

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Batch, Split, Task, draw, python_random, words
from attnviz.tasks.choice import check_order, whole
from attnviz.tasks.language.pairs import pair_batch
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Dates"]

MONTHS = words("January February March April May June July August September October November December")
WEEKDAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
FORMS = (
    "{day} {month} {year}",
    "{day} {month}, {year}",
    "{ordinal} {month} {year}",
    "{ordinal} of {month} {year}",
    "{ordinal} of {month}, {year}",
    "the {ordinal} of {month} {year}",
    "{month} {day}, {year}",
    "{month} {day} {year}",
    "{month} {ordinal}, {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{weekday} {ordinal} {month} {year}",
    "{weekday} the {ordinal} of {month} {year}",
    "{year} {month} {day}",
    "{day}-{month}-{year}",
    "{day}/{number}/{year}",
    "{day2}/{number2}/{year}",
    "{day}.{number}.{year}",
    "{day2}.{number2}.{year}",
    "{year}/{number}/{day}",
    "{year}/{number2}/{day2}",
    "{year}.{number2}.{day2}",
    "{year}-{number2}-{day2}",
    "{year}{number2}{day2}",
    "{year}年{number}月{day}日",
)


def ordinal(day: int) -> str:
    """Return the English ordinal of a day: 1st, 2nd, 3rd, 4th, 11th, 22nd ..."""
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def write(day: date, random: Random) -> str:
    """Return the date in a random form; months and weekdays may be shortened, capitals may be missing."""
    short = random.random() < 0.4
    text = filled(random.choice(FORMS), day, short)
    case = random.random()
    return text.lower() if case < 0.2 else text.upper() if case < 0.25 else text


def filled(form: str, day: date, short: bool) -> str:
    """Return a date in one of FORMS, with the names of month and weekday shortened or not."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    return form.format(
        day=day.day,
        day2=f"{day.day:02}",
        ordinal=ordinal(day.day),
        month=month[:3] if short else month,
        number=day.month,
        number2=f"{day.month:02}",
        weekday=weekday[:3] if short else weekday,
        year=day.year,
    )


def parts(text: str) -> dict[str, range] | None:
    """Find the "year", "month" and "day" of a written date; None if it is in no known form.

    Example:
        >>> parts("3rd of March 2021")
        {'year': range(13, 17), 'month': range(7, 12), 'day': range(0, 1)}
    """
    year = re.search(r"\d{4}", text)
    if year is None:
        return None
    rest = text[: year.start()] + "    " + text[year.end() :]
    names = [*re.finditer(f"({'|'.join(month[:3] for month in MONTHS)})[a-z]*", rest, re.IGNORECASE)]
    numbers = [*re.finditer(r"\d{1,2}", rest)]
    if len(names) + len(numbers) != 2 or len(names) > 1:
        return None
    first, second = names + numbers
    month, day = (first, second) if names or year.start() == 0 else (second, first)
    found = {"year": year, "month": month, "day": day}
    return {name: range(*match.span()) for name, match in found.items()}


def read(text: str) -> date | None:
    """Return the date that a text means; None if it is in no known form, or there is no such day.

    Example:
        >>> read("3rd of March 2021"), read("30 Feb 2021")
        (datetime.date(2021, 3, 3), None)
    """
    spans = parts(text)
    if spans is None:
        return None
    year, month, day = (text[spans[name].start : spans[name].stop] for name in ("year", "month", "day"))
    names = [name[:3].lower() for name in MONTHS]
    try:
        return date(int(year), names.index(month[:3].lower()) + 1 if month.isalpha() else int(month), int(day))
    except ValueError:  # there is no 30 February
        return None


@dataclass(frozen=True)
class Dates(Task):
    """An encoder-decoder reads a date as people write it and writes year-month-day.

        source  3rd of March 2021
        read    <bos> 2 0 2 1 - 0 3 - 0 3
        write   2 0 2 1 - 0 3 - 0 3 <eos>

    With numbers alone the day comes before the month (3/4/2021 is 3 April), unless the year comes first (2021/4/3).

    Example:
        >>> task = Dates()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.source_tokenizer.decode(batch.source[0].tolist())
        '13/2/2075'
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '2075-02-13'

    Attributes:
        first_year: first year of the dates.
        last_year: last year of the dates.

    Raises:
        ConfigError: a year without four digits, the first year after the last.
    """

    first_year: int = whole(1900, 1000, 9999, offered=range(1500, 2001))
    last_year: int = whole(2099, 1000, 9999, offered=range(2000, 2501))

    name = "dates"
    architecture = "encoder-decoder"
    metric = "exact match"
    tokenizer = Tokenizer("characters", tuple("0123456789-"), add_bos=True)  # digits and "-", `<bos>` in front
    typed = (  # dates to type, each with its answer
        ("3rd of March 2021", "2021-03-03"),
        ("Friday, 14 July 1989", "1989-07-14"),
        ("oct 31, 2008", "2008-10-31"),
        ("2019年10月1日", "2019-10-01"),
        ("24.12.1999", "1999-12-24"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order("first_year", self.first_year, "last_year", self.last_year)

    @cached_property
    def source_tokenizer(self) -> Tokenizer:
        """Characters of written dates: letters, digits, a few signs, and the Chinese year, month and day."""
        lower = "abcdefghijklmnopqrstuvwxyz"
        used = set("".join(MONTHS + WEEKDAYS) + "".join(FORMS) + "stndrdthof")
        letters = {c for c in lower if c in {u.lower() for u in used}}
        symbols = [*"0123456789", *" ,./-年月日", *sorted(letters), *sorted(c.upper() for c in letters)]
        return Tokenizer("characters", tuple(symbols))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n dates. Split by the date: a date that is tested was never trained on, in no form at all."""
        first, last = date(self.first_year, 1, 1).toordinal(), date(self.last_year, 12, 31).toordinal()
        days = draw(n, split, lambda count: torch.randint(first, last + 1, (count, 1), generator=generator))
        random = python_random(generator)
        dates = [date.fromordinal(day) for day in days[:, 0].tolist()]
        return pair_batch(
            [(write(day, random), day.isoformat()) for day in dates], self.source_tokenizer, self.tokenizer
        )

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Each digit reads its own character of the date; the month's two, if it is a name, all of its letters."""
        assert source is not None, "an encoder-decoder reads a source"
        spans = parts("".join(self.source_tokenizer.label(token) for token in source)) or {}
        pairs: list[tuple[int, int]] = []
        for name, first, digits in (("year", 0, 4), ("month", 5, 2), ("day", 8, 2)):  # yyyy-mm-dd
            span = spans.get(name, range(0))
            for digit in range(digits):
                is_name = len(span) > digits  # of a month; a number without its zero has one character for both digits
                keys = span if is_name else span[max(0, digit - digits + len(span)) :][:1]
                pairs += [(first + digit, key) for key in keys if first + digit < len(tokens)]
        return (Pattern.of("source of the digit", pairs, tokens, source),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the date as year-month-day, then `<eos>`; none where the source is in no known form."""
        assert source is not None, "an encoder-decoder reads a source"
        written = read("".join(self.source_tokenizer.label(token) for token in source))
        if written is None:
            return super().answers(tokens)
        batch = pair_batch([("1", written.isoformat())], self.source_tokenizer, self.tokenizer)
        return batch.due(len(tokens))

    def refuses(self, text: str) -> bool:
        """Refuse a text without a date."""
        return read(text) is None

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Tell whether it is a date of the years that were learned, in one of the forms."""
        text = "".join(symbols)
        day = read(text)
        if day is None or not self.first_year <= day.year <= self.last_year:
            return False
        written = {filled(form, day, short) for form in FORMS for short in (False, True)}
        return text in written or text in {other for form in written for other in (form.lower(), form.upper())}

    def mended(self, text: str) -> Iterable[str]:
        """Yield the same day in the plainest form."""
        day = read(text)
        return () if day is None else (filled(FORMS[0], day, False),)

    def model_config(self) -> ModelConfig:
        """One layer each side; cross-attention in between shows which characters became which digits."""
        return self.transformer(11, d_model=64, n_heads=4, n_layers=1, d_ff=256, source_max_len=40)
