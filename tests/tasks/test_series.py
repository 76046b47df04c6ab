"""Seasonal series: values repeat, positions are those to predict, and no season is on two sides; and own series."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from attnviz.errors import (
    AttnvizError,
    ConfigError,
    DataCellTooLong,
    DataColumnsUnclear,
    DataDecimalUnclear,
    DataHeaderUnclear,
    DataNoColumn,
    DataRagged,
    DataSeparatorUnclear,
    DataUnclear,
    EmptyText,
    SeriesConstant,
    SeriesMissing,
    SeriesNotNumber,
    SeriesTooLong,
    SeriesTooShort,
    SeriesUnits,
)
from attnviz.models.network import build_network
from attnviz.tasks.base import IGNORE, SPLITS, Batch
from attnviz.tasks.own.readers.columns import MOST_POINTS, read_column
from attnviz.tasks.own.series import OwnSeries, estimated_period
from attnviz.tasks.signals.series import Seasonal, naive_baselines
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import train
from tests.refused import refused


def numbers(batch: Batch) -> tuple[Tensor, Tensor]:
    """Features and values, (B, T) each."""
    assert batch.features is not None
    assert batch.values is not None
    return batch.features[..., 0], batch.values[..., 0]


def test_what_is_to_be_said_is_the_next_value() -> None:
    batch = Seasonal().sample(10, Generator().manual_seed(0))
    read, due = numbers(batch)
    assert torch.equal(read[:, 1:], due[:, :-1])
    assert (batch.targets[:, :15] == IGNORE).all()
    assert (batch.targets[:, 15:] == 0).all(), "scored from the third period on: the 17th value"


def test_a_season_comes_again() -> None:
    read, due = numbers(Seasonal(noise=0).sample(10, Generator().manual_seed(0)))
    assert torch.equal(read[:, 8:], read[:, :-8])
    assert torch.equal(due[:, 7:], read[:, :-7]), "position t says what stands at t + 1 - 8"


def test_every_period_occurs() -> None:
    drawn = Seasonal(5, 9, noise=0).draw(200, Generator().manual_seed(0), "train")
    assert set(drawn.periods.tolist()) == set(range(5, 10))
    for values, period in zip(drawn.values, drawn.periods.tolist(), strict=True):
        assert torch.equal(values[period:], values[:-period])


def test_no_season_is_on_two_sides() -> None:
    """Short seasons of few values would repeat if they were not split; these are told apart by two digits."""
    task = Seasonal(2, 2, noise=0)
    seasons = {}
    for split in SPLITS:
        drawn = task.draw(3000, Generator().manual_seed(1), split).values[:, :2]
        seasons[split] = {tuple(row) for row in drawn.tolist()}
    assert not seasons["train"] & seasons["test"]
    assert not seasons["train"] & seasons["validation"]
    assert not seasons["validation"] & seasons["test"]


def test_the_mean_of_a_season_is_not_known() -> None:
    """Else the last value of a season would be minus the sum of the others, and no lag would have to be read."""
    values = Seasonal(noise=0).draw(500, Generator().manual_seed(0), "train").values[:, :8]
    assert values.mean(1).std() > 0.3


def test_noise_and_trend() -> None:
    flat, noisy, rising = (
        Seasonal(noise=noise, trend=trend).draw(400, Generator().manual_seed(0), "train").values
        for noise, trend in ((0, False), (50, False), (0, True))
    )
    assert (noisy[:, 8:] - noisy[:, :-8]).std() == pytest.approx(0.5 * 2**0.5, rel=0.05)
    steps = rising[:, 8:] - rising[:, :-8]  # the same slope all along, but for rounding
    assert (steps - steps.mean(1, keepdim=True)).abs().max() < 0.02
    assert steps.mean(1).std() == pytest.approx(8 / 48, rel=0.15)
    assert flat.abs().max() < 6


def test_what_is_written_is_what_was_drawn() -> None:
    task = Seasonal()
    batch = task.sample(5, Generator().manual_seed(2))
    read, _ = numbers(batch)
    for tokens, values in zip(batch.tokens.tolist(), read, strict=True):
        text = task.tokenizer.decode(tokens, values[:, None])
        assert task.tokenizer.encode(text) == tokens
        assert torch.equal(task.tokenizer.features(text)[:, 0], values)
    assert len(task.examples()) == 3


def test_the_pattern_is_whole_periods_before_the_next_value() -> None:
    (pattern,) = Seasonal(4, 4).expected([3] * 12)
    assert pattern.reads[10].nonzero()[:, 0].tolist() == [3, 7]
    assert pattern.reads[7].nonzero()[:, 0].tolist() == [0, 4]
    assert not pattern.reads[:7].any()
    assert Seasonal(5, 9).expected([3] * 12) == ()


def test_rules_reach_what_noise_leaves() -> None:
    """With noise of variance s, one period ago leaves 2 s of 1 + s; the mean of k = 2 .. 5 has less noise."""
    scores = dict(Seasonal(noise=30).baselines())
    assert scores["last value"] < 0
    assert scores["one period ago"] == pytest.approx(1 - 2 * 0.09 / 1.09, abs=0.02)
    assert scores["one period ago"] < scores["mean of the phase"] < 1 - 0.09 / 1.09
    assert dict(Seasonal(5, 9, noise=0).baselines())["one period ago"] == pytest.approx(1)


def test_limits() -> None:
    with pytest.raises(ConfigError, match="min_period is 9, above max_period, which is 8"):
        Seasonal(9, 8)
    with pytest.raises(ConfigError, match="length is 20; it must be a whole number from 48 to 512"):
        Seasonal(length=20)


def test_a_transformer_learns_the_lags() -> None:
    task = Seasonal(4, 4, noise=10)
    network = build_network(task.model_config(), 0)
    *_, last = train(
        network,
        task,
        TrainConfig(steps=120, learning_rate=1e-2, warmup_steps=20, validate_every=120, validation_size=128),
    )
    assert last.validation is not None
    assert last.validation.accuracy > 0.8


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("1\n2\n3", "", (1, 2, 3)),
        ("\ufeffprice\r\n1.5\r\n-2e3\r\n\r\n", "price", (1.5, -2000)),
        ("day,price\n2024-01-01,3\n2024-01-02,4", "price", (3, 4)),
        ('day;"price, EUR"\n2024-01-01;3,25\n2024-01-02;"4,5"', "price, EUR", (3.25, 4.5)),
        ("3,25\tMonday\n4\tTuesday", "", (3.25, 4)),
        (" 7 \n+.5\n8.", "", (7, 0.5, 8)),
        ("1\r2\r3\r", "", (1, 2, 3)),
        ("day,price,,\n2024-01-01,3,,\n,,,\n2024-01-02,4,,\n,,,\n", "price", (3, 4)),
        ("price\n0.5\n1.234", "price", (0.5, 1.234)),  # no group of thousands begins with 0
        ("price\n1.234\n12.5", "price", (1.234, 12.5)),  # nor has two digits
        ("price\n1.234\n12,5", "price", (1234, 12.5)),
        ("price\n1,234.5\n950", "price", (1234.5, 950)),
        ("price\n1 234,5\n950", "price", (1234.5, 950)),
        ("price\n1'234.5\n950", "price", (1234.5, 950)),
        ("price\n1.234.567\n950", "price", (1234567, 950)),
        ("day,price\nMonday,1.234\nTuesday,950", "price", (1.234, 950)),  # who separates by commas writes points
        ("price\n\N{MINUS SIGN}5\n6", "price", (-5, 6)),
        ("x\u2028y;z\n1;a\n2;b", "x\u2028y", (1, 2)),  # no line ends there
    ],
)
def test_columns_are_read(text: str, name: str, values: tuple[float, ...]) -> None:
    assert read_column(text) == (name, values, "")


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("12 %\n-3%", (12, -3), "%"),
        ("$1,234.50\n-$2", (1234.5, -2), "$"),
        ("1.234,50 €\n2 €", (1234.5, 2), "€"),
        ("￥3\n￥ 4.5", (3, 4.5), "￥"),
    ],
)
def test_signs_beside_numbers_are_kept_apart(text: str, values: tuple[float, ...], unit: str) -> None:
    assert read_column("price\n" + text) == ("price", values, unit)


@pytest.mark.parametrize(
    ("text", "error", "said", "name", "values"),
    [
        (
            "day;price\nMonday;1.234\nTuesday;950", DataDecimalUnclear(2, "1.234", 1.234, 1234.0),
            {"decimal": "comma"}, "price", (1234, 950),
        ),
        ("1.234\n950", DataDecimalUnclear(1, "1.234", 1.234, 1234.0), {"decimal": "point"}, "", (1.234, 950)),
        ('"1,234"\n"950"', DataDecimalUnclear(1, "1,234", 1234.0, 1.234), {"decimal": "point"}, "", (1234, 950)),
        ("NA\n5\n3", DataHeaderUnclear("NA"), {"header": "yes"}, "NA", (5, 3)),
        ("-\n5\n3", DataHeaderUnclear("-"), {"header": "yes"}, "-", (5, 3)),
        ("#1\n5\n3", DataHeaderUnclear("#1"), {"header": "yes"}, "#1", (5, 3)),
        ("1,5\n2,5", DataSeparatorUnclear(["comma", "none"], "1,5"), {"separator": "none"}, "", (1.5, 2.5)),
        (
            "id,x\n1,5\n2,5", DataSeparatorUnclear(["comma", "none"], "id,x"),
            {"separator": "comma", "value_column": 2}, "x", (5, 5),
        ),
        (
            "n,x,y\nMonday,5,1\nTuesday,6,2", DataColumnsUnclear("2: x, 3: y", ["value_column"]),
            {"value_column": 3}, "y", (1, 2),
        ),
        (
            "n;x\n1;0.5\n2;y\n3;0.7", DataColumnsUnclear("1: n, 2: x", ["value_column"]),
            {"value_column": 1}, "n", (1, 2, 3),
        ),
        ("1\n\n3", SeriesMissing(1, 2, ""), {"missing": "drop"}, "", (1, 3)),
        ("1\nNaN\n3", SeriesMissing(1, 2, "NaN"), {"missing": "interpolate"}, "", (1, 2, 3)),
        ("a;b\nx;1,5\ny", SeriesMissing(1, 3, ""), {"missing": "interpolate"}, "b", (1.5, 1.5)),
        ("x\n-\n5\n3\nn/a", SeriesMissing(2, 2, "-"), {"missing": "interpolate"}, "x", (5, 5, 3, 3)),
    ],
)  # fmt: skip
def test_what_a_column_does_not_tell_is_asked(
    text: str, error: AttnvizError, said: dict[str, Any], name: str, values: tuple[float, ...]
) -> None:
    with refused(error):
        read_column(text)
    assert isinstance(error, DataUnclear)
    assert read_column(text, **said) == (name, values, "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (" \n", EmptyText()),
        ("price\n1\ntwo\n3", SeriesNotNumber(3, "two")),
        ("1\n-inf\n3", SeriesNotNumber(2, "-inf")),
        ("1\n1_000\n3", SeriesNotNumber(2, "1_000")),
        ("1\n٣\n3", SeriesNotNumber(2, "٣")),
        ("1\n2e12\n3", SeriesNotNumber(2, "2e12")),
        ("1\n1e999\n3", SeriesNotNumber(2, "1e999")),
        ("Monday\nTuesday\nWednesday", SeriesNotNumber(2, "Tuesday")),
        ("x", SeriesNotNumber(1, "x")),
        ("1\n" + "9" * 100_000, SeriesNotNumber(2, "9" * 100_000)),
        ("1\n" + "9" * 200_000, DataCellTooLong(2, 131072)),
        ("a;b\n1;2\n3;4;5", DataRagged(3, 3, 2)),
        ("5%\n6\n7%", SeriesUnits(2, "6", "5%")),
        ("5€\n6$", SeriesUnits(2, "6$", "5€")),
        ("1\n12,34,5\n3", SeriesNotNumber(2, "12,34,5")),
        ("1\n" * (MOST_POINTS + 1), SeriesTooLong(20001, 20000)),
    ],
)
def test_columns_that_cannot_be_read_are_refused(text: str, error: AttnvizError) -> None:
    with refused(error):
        read_column(text)


def test_a_column_that_was_chosen_must_be_there() -> None:
    with refused(DataNoColumn("value_column", 3, 2)):
        read_column("a;b\n1;2", value_column=3)


def own(period: int = 7, n: int = 210, slope: float = 0.0) -> str:
    """A noisy season as a file."""
    generator = Generator().manual_seed(0)
    season = torch.randn(period, generator=generator)
    values = [float(season[t % period]) * 10 + 100 + slope * t for t in range(n)]
    noise = torch.randn(n, generator=generator).tolist()
    return "x\n" + "\n".join(f"{value + each:.2f}" for value, each in zip(values, noise, strict=True))


def test_own_series_is_cut_in_time() -> None:
    task = OwnSeries(own(), length=24)
    assert {split: len(part) for split, part in task.parts.items()} == {"train": 160, "validation": 25, "test": 25}
    mean, deviation = task.scale
    back = torch.cat([task.parts[split] for split in ("train", "validation", "test")]) * deviation + mean
    assert torch.allclose(back, torch.tensor(read_column(own()).values), atol=1e-3)
    assert task.parts["train"].mean().abs() < 1e-5
    assert task.parts["train"].std() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("split", SPLITS)
def test_no_piece_reaches_over_a_cut(split: str) -> None:
    task = OwnSeries(own(n=400), length=24)
    part = task.parts[split].unfold(0, 25, 1)  # type: ignore[index]
    batch = task.sample(200, Generator().manual_seed(0), split)  # type: ignore[arg-type]
    read, due = numbers(batch)
    whole = torch.cat((read, due[:, -1:]), 1)
    assert all((part == piece).all(1).any() for piece in whole)
    assert (batch.targets[:, :11] == IGNORE).all()
    assert (batch.targets[:, 11:] == 0).all()


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_the_period_is_found_in_training_data(slope: float) -> None:
    task = OwnSeries(own(slope=slope), length=24)
    assert task.period == 7
    (pattern,) = task.expected([3] * 24)
    assert pattern.reads[20].nonzero()[:, 0].tolist() == [0, 7, 14]
    assert [name for name, _ in task.baselines()] == ["last value", "one period ago", "mean of the phase"]
    assert dict(task.baselines())["one period ago"] > 0.9


def test_noise_has_no_period() -> None:
    noise = torch.randn(500, generator=Generator().manual_seed(0))
    assert estimated_period(noise, 50) is None
    assert estimated_period(torch.tensor([1.0, 2.0, 3.0]), 50) is None
    task = OwnSeries("\n".join(map(str, noise.tolist())), length=24)
    assert task.expected([3] * 24) == ()
    assert [name for name, _ in task.baselines()] == ["last value"]


def test_own_series_too_short_or_without_change() -> None:
    with refused(SeriesTooShort(99, 100, 24)):
        OwnSeries(own(n=99), length=24)
    with refused(SeriesConstant("train")):
        OwnSeries("5\n" * 200, length=24)
    with refused(SeriesConstant("train")):
        OwnSeries("0.1\n" * 200, length=24)
    with refused(SeriesConstant("validation")):
        OwnSeries(own(n=200) + "\n5" * 50, length=24)


def test_own_texts_can_be_typed() -> None:
    task = OwnSeries(own(slope=10), length=24)  # the test part is far above the training part
    assert len(task.examples()) == 2
    text = task.examples()[1]
    assert isinstance(text, str)
    assert torch.allclose(task.tokenizer.features(text)[:, 0], task.parts["test"][-24:], atol=6e-4)
    assert "100." not in repr(task)


def test_naive_rules_by_hand() -> None:
    task = Seasonal(noise=0)
    values = torch.tensor([[1.0, 3.0, 2.0, 5.0, 3.0, 6.0]])
    scores = dict(naive_baselines(task, values, torch.tensor([2]), 4))  # 3 and 6 are scored
    assert scores["last value"] == pytest.approx(1 - (4 + 9) / 4.5)
    assert scores["one period ago"] == pytest.approx(1 - (1 + 1) / 4.5)
    assert scores["mean of the phase"] == pytest.approx(1 - (1.5**2 + 2**2) / 4.5)
