"""Errors of data to learn from; lines and columns are counted from 1."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.inputs import InputError

__all__ = [
    "DataArchive", "DataBinary", "DataBlank", "DataCellTooLong", "DataColumns", "DataColumnsUnclear",
    "DataDecimalUnclear", "DataDialogues", "DataEmpty", "DataEncoding", "DataEncodingUnclear", "DataHeaderUnclear",
    "DataJsonLine", "DataLabels", "DataLineTooLong", "DataNested", "DataNoColumn", "DataNoColumnNamed", "DataOfSplit",
    "DataOneTarget", "DataPackage", "DataQuote", "DataRagged", "DataSameColumn", "DataSentenceRagged",
    "DataSentenceTooLong", "DataSeparatorUnclear", "DataSpreadsheet", "DataTag", "DataTagMissing", "DataTooFew",
    "DataTooLarge", "DataTooMany", "DataTooManyColumns", "DataTypes", "DataUnclear", "DataUnknownLabels",
    "DataUnreadable", "DataWord", "DataWorkbook", "OneCharacter", "SeriesConstant", "SeriesMissing",
    "SeriesNotNumber", "SeriesTooLong", "SeriesTooShort", "SeriesUnits", "SoundLength", "SoundUnreadable",
    "TextTooShort",
]  # fmt: skip


class TextTooShort(InputError):
    length: int
    needed: int
    context: int


class OneCharacter(InputError):
    character: str


class SeriesNotNumber(InputError):
    line: int
    cell: str


class SeriesUnits(InputError):
    line: int
    cell: str
    first: str


class SeriesTooShort(InputError):
    count: int
    needed: int
    context: int


class SeriesTooLong(InputError):
    count: int
    limit: int


class SeriesConstant(InputError):
    """Nothing changes in one part of a series: `part` is "train", "validation" or "test"."""

    part: str


class SoundUnreadable(InputError):
    reason: str


class SoundLength(InputError):
    seconds: float
    shortest: float
    longest: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.details = {name: f"{value:.2f}" for name, value in vars(self).items() if name in self.details}


class DataTooLarge(InputError):
    size: int
    limit: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.details = {"size": f"{self.size / 2**20:,.1f}", "limit": f"{self.limit / 2**20:,.0f}"}


class DataUnreadable(InputError):
    """The file of some data is not there, is no file, or may not be read."""

    file: str
    reason: str


class DataSpreadsheet(InputError):
    """A workbook was given in place of a text."""


class DataArchive(InputError):
    """A compressed file was given in place of a text."""


class DataBinary(InputError):
    line: int


class DataEncoding(InputError):
    """Data are no text in the encoding that was chosen.

    Args:
        line: first line that cannot be read, 0 if the encoding itself is unknown.
        encoding: the encoding that was tried.
        known: the encodings to choose from.
    """

    line: int
    encoding: str
    known: str


class DataUnclear(InputError):
    """The data leave open how to read them; attnviz asks and does not guess."""


class DataEncodingUnclear(DataUnclear):
    likely: Sequence[str]
    names: Sequence[str]


class DataSeparatorUnclear(DataUnclear):
    found: Sequence[str]
    first: str


class DataHeaderUnclear(DataUnclear):
    first: str


class DataColumnsUnclear(DataUnclear):
    """Several columns may be the wanted one; `wanted` are the settings that choose, such as "text_column"."""

    columns: str
    wanted: Sequence[str]


class DataDecimalUnclear(DataUnclear):
    """A point or comma may be a decimal sign or group thousands; `point` and `comma` are the two readings of `cell`."""

    line: int
    cell: str
    point: float
    comma: float


class SeriesMissing(DataUnclear):
    count: int
    line: int
    cell: str


class DataOfSplit(InputError):
    """Data of their own for a split, "validation" or "test", cannot be read."""

    split: str
    reason: str


class DataNoColumn(InputError):
    name: str
    column: int
    columns: int


class DataNoColumnNamed(InputError):
    """No column has the name that was given; `columns` are those that there are."""

    column: str
    columns: str


class DataJsonLine(InputError):
    """A line is no JSON object, or lacks what is read of it."""

    line: int
    reason: str


class DataPackage(InputError):
    """A kind of file needs a package that is not installed."""

    kind: str
    package: str


class DataWorkbook(InputError):
    reason: str


class DataSameColumn(InputError):
    column: int


class DataTooManyColumns(InputError):
    line: int
    columns: int
    limit: int


class DataCellTooLong(InputError):
    line: int
    limit: int


class DataRagged(InputError):
    line: int
    columns: int
    width: int


class DataEmpty(InputError):
    """The data hold nothing."""


class DataColumns(InputError):
    line: int
    columns: int


class DataBlank(InputError):
    """A line lacks its text or label, its source or target; `column` says which."""

    line: int
    column: str


class DataNested(InputError):
    """A cell of JSON lines holds a list or an object in place of a text; `column` as of `DataBlank`."""

    line: int
    column: str
    value: str


class DataQuote(InputError):
    line: int


class DataLineTooLong(InputError):
    line: int
    length: int
    limit: int


class DataSentenceRagged(InputError):
    line: int
    columns: int
    width: int


class DataSentenceTooLong(InputError):
    line: int
    limit: int


class DataTagMissing(InputError):
    line: int
    word: str


class DataTag(InputError):
    line: int
    tag: str


class DataWord(InputError):
    line: int
    word: str


class DataLabels(InputError):
    labels: int
    least: int
    most: int


class DataUnknownLabels(InputError):
    """No label of some data is one that a model has learned."""

    learned: tuple[str, ...]


class DataTypes(InputError):
    types: int
    most: int


class DataTooFew(InputError):
    texts: int
    needed: int


class DataDialogues(InputError):
    """Too few dialogues to hold some out, where turns before are read."""

    count: int
    needed: int


class DataOneTarget(InputError):
    """All pairs have one target."""

    pairs: int
    target: str


class DataTooMany(InputError):
    line: int
    limit: int
