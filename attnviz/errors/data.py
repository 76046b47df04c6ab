"""Errors of data to learn from."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.inputs import InputError

__all__ = [
    "DataArchive",
    "DataBinary",
    "DataBlank",
    "DataCellTooLong",
    "DataColumns",
    "DataColumnsUnclear",
    "DataDecimalUnclear",
    "DataEmpty",
    "DataEncoding",
    "DataEncodingUnclear",
    "DataHeaderUnclear",
    "DataLabels",
    "DataLineTooLong",
    "DataNoColumn",
    "DataQuote",
    "DataRagged",
    "DataSameColumn",
    "DataSentenceRagged",
    "DataSentenceTooLong",
    "DataSeparatorUnclear",
    "DataSpreadsheet",
    "DataTag",
    "DataTagMissing",
    "DataTooFew",
    "DataTooLarge",
    "DataTooMany",
    "DataTooManyColumns",
    "DataTypes",
    "DataUnclear",
    "DataWord",
    "OneCharacter",
    "SeriesConstant",
    "SeriesMissing",
    "SeriesNotNumber",
    "SeriesTooLong",
    "SeriesTooShort",
    "SeriesUnits",
    "SoundLength",
    "SoundUnreadable",
    "TextTooShort",
]


class TextTooShort(InputError):
    """A text to learn that is too short to be cut into training, validation and test.

    Attributes:
        length: characters given.
        needed: characters at least.
        context: tokens of a training sequence.
    """

    code = "text_too_short"

    def __init__(self, length: int, needed: int, context: int) -> None:
        self.length = length
        self.needed = needed
        self.context = context
        super().__init__(
            f"The text has {length:,} characters; a context of {context:,} needs at least {needed:,}. "
            "Bring a longer text, or choose a shorter context.",
            length=length,
            needed=needed,
            context=context,
        )


class OneCharacter(InputError):
    """A text to learn that repeats one character.

    Attributes:
        character: that one.
    """

    code = "one_character"

    def __init__(self, character: str) -> None:
        self.character = character
        super().__init__(
            f"The text is nothing but {character!r}, again and again: there is nothing to predict. "
            "Bring a text with at least two different characters.",
            character=character,
        )


class SeriesNotNumber(InputError):
    """A line of a series where there is no number that can be used."""

    code = "series_not_number"

    def __init__(self, line: int, cell: str) -> None:
        super().__init__(
            f"Line {line}: {cell[:40]!r} is no finite number such as 12.5, 1,234.5 or -3e4, at most 1e12. If the "
            "decimal sign is a comma, say decimal=comma; if it is a point, decimal=point.",
            line=line,
            cell=cell[:40],
        )


class SeriesUnits(InputError):
    """A series in which some numbers have a sign, such as a currency, and others another one or none."""

    code = "series_units"

    def __init__(self, line: int, cell: str, first: str) -> None:
        super().__init__(
            f"Line {line}: {cell[:40]!r} has not the same sign (such as % or a currency) as the values before it, "
            f"such as {first[:40]!r}: they cannot be compared. Write all of them alike.",
            line=line,
            cell=cell[:40],
            first=first[:40],
        )


class SeriesTooShort(InputError):
    """A series that is too short to be cut into training, validation and test."""

    code = "series_too_short"

    def __init__(self, count: int, needed: int, context: int) -> None:
        super().__init__(
            f"The series has {count:,} points; a context of {context:,} needs at least {needed:,}. "
            "Bring a longer series, or choose a shorter context.",
            count=count,
            needed=needed,
            context=context,
        )


class SeriesTooLong(InputError):
    """A series with more points than are taken; nothing is cut."""

    code = "series_too_long"

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"The series has {count:,} points; at most {limit:,} are taken. Nothing was cut: bring a part of it.",
            count=count,
            limit=limit,
        )


class SeriesConstant(InputError):
    """A series with a part in which nothing changes.

    Args:
        part: "train", "validation" or "test".
    """

    code = "series_constant"

    def __init__(self, part: str) -> None:
        super().__init__(
            f"The part of the series for {part} is the same value again and again: there is nothing to predict.",
            part=part,
        )


class SoundUnreadable(InputError):
    """A file that is no sound that can be read."""

    code = "sound_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"this sound cannot be read ({reason}): a WAV file will do, uncompressed (PCM), of 8, 16, 24 or 32 bits.",
            reason=reason,
        )


class SoundLength(InputError):
    """A sound that is too short or too long for the model; nothing is cut."""

    code = "sound_length"

    def __init__(self, seconds: float, shortest: float, longest: float) -> None:
        super().__init__(
            f"The sound lasts {seconds:.2f} s; from {shortest:.2f} to {longest:.2f} s are read. Nothing was cut.",
            seconds=f"{seconds:.2f}",
            shortest=f"{shortest:.2f}",
            longest=f"{longest:.2f}",
        )


class DataTooLarge(InputError):
    """Data of more bytes than are taken."""

    code = "data_too_large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"The data have {size / 2**20:,.1f} MB; at most {limit / 2**20:,.0f} MB are taken. Nothing was cut: bring "
            "a part of them.",
            size=f"{size / 2**20:,.1f}",
            limit=f"{limit / 2**20:,.0f}",
        )


class DataSpreadsheet(InputError):
    """A workbook in place of a text."""

    code = "data_spreadsheet"

    def __init__(self) -> None:
        super().__init__(
            "This is a workbook of a spreadsheet program (such as .xlsx, .xls or .ods), whatever its name says. Open "
            "it there, save it as CSV, and bring that file."
        )


class DataArchive(InputError):
    """A compressed file in place of a text."""

    code = "data_archive"

    def __init__(self) -> None:
        super().__init__(
            "This is a compressed file (such as .zip or .gz), whatever its name says: unpack it, and bring the text "
            "in it."
        )


class DataBinary(InputError):
    """Bytes or characters that no text has."""

    code = "data_binary"

    def __init__(self, line: int) -> None:
        super().__init__(
            f"This is no text: line {line} holds a control character that no text has, such as NUL. "
            "Bring a text file, such as .txt, .csv or .tsv.",
            line=line,
        )


class DataEncoding(InputError):
    """Data to learn that are no text in the encoding that was said, or in any that is told.

    Args:
        line: the first line that cannot be read, 0 where the encoding is not known at all.
        encoding: that was tried.
        known: what may be said.
    """

    code = "data_encoding"

    def __init__(self, line: int, encoding: str, known: str) -> None:
        super().__init__(
            f"Line {line} is no text in {encoding}: save the file as UTF-8, or say its encoding, one of {known}.",
            line=line,
            encoding=encoding,
            known=known,
        )


class DataUnclear(InputError):
    """A question about how data are to be read that the data do not answer; it is asked, not guessed."""

    code = "data_unclear"


class DataEncodingUnclear(DataUnclear):
    """Bytes that are as likely text in one encoding as in another."""

    code = "data_encoding_unclear"

    def __init__(self, likely: Sequence[str], names: str) -> None:
        self.names = names.split(", ")
        super().__init__(
            f"The encoding of this file cannot be told: it may be {' or '.join(likely)}. Say which (encoding: "
            f"{names}), or save the file as UTF-8.",
            likely=", ".join(likely),
            names=names,
        )


class DataSeparatorUnclear(DataUnclear):
    """A table that can be cut into columns in several ways."""

    code = "data_separator_unclear"

    def __init__(self, found: Sequence[str], first: str) -> None:
        super().__init__(
            f"What separates the columns of this table cannot be told; these are possible: {', '.join(found)}. "
            f"The first line is {first[:80]!r}. Say separator=... and one of them.",
            found=", ".join(found),
            first=first[:80],
        )


class DataHeaderUnclear(DataUnclear):
    """A first line that may name the columns or be data itself."""

    code = "data_header_unclear"

    def __init__(self, first: str) -> None:
        super().__init__(
            f"Whether the first line ({first[:80]}) is a header or belongs to the data cannot be told. Say header=yes "
            "or header=no.",
            first=first[:80],
        )


class DataColumnsUnclear(DataUnclear):
    """Several columns that may be the one that is wanted.

    Args:
        columns: there are, by number.
        wanted: the choices that say it, such as "text_column".
    """

    code = "data_columns_unclear"

    def __init__(self, columns: str, wanted: Sequence[str]) -> None:
        super().__init__(
            f"Which column is to be read cannot be told; there are {columns}. Say "
            + " and ".join(f"{name}=NUMBER" for name in wanted)
            + ".",
            columns=columns,
            wanted=" ".join(f"{name}=NUMBER" for name in wanted),
        )


class DataDecimalUnclear(DataUnclear):
    """Numbers in which a point or comma may be a decimal sign or group thousands."""

    code = "data_decimal_unclear"

    def __init__(self, line: int, cell: str, point: float, comma: float) -> None:
        super().__init__(
            f"Line {line}: {cell[:40]!r} is {point:g} with a decimal point and {comma:g} with a decimal comma, and no "
            "other line tells which. Say decimal=point or decimal=comma.",
            line=line,
            cell=cell[:40],
            point=f"{point:g}",
            comma=f"{comma:g}",
        )


class SeriesMissing(DataUnclear):
    """A series with cells in which there is no value, and nobody said what becomes of them."""

    code = "series_missing"

    def __init__(self, count: int, line: int, cell: str) -> None:
        super().__init__(
            f"{count:,} value(s) are missing, the first in line {line}, where {cell[:40]!r} stands. Say "
            "missing=drop to leave these lines out, or missing=interpolate to draw a straight line between the "
            "values around them.",
            count=count,
            line=line,
            cell=cell[:40],
        )


class DataNoColumn(InputError):
    """A column that was chosen and is not there."""

    code = "data_no_column"

    def __init__(self, name: str, column: int, columns: int) -> None:
        super().__init__(
            f"{name} is {column}, and the data have {columns} column(s).", name=name, column=column, columns=columns
        )


class DataSameColumn(InputError):
    """One column that was chosen for two things."""

    code = "data_same_column"

    def __init__(self, column: int) -> None:
        super().__init__(f"Column {column} is chosen twice: two different columns are needed.", column=column)


class DataTooManyColumns(InputError):
    """A record of more columns than are taken."""

    code = "data_too_many_columns"

    def __init__(self, line: int, columns: int, limit: int) -> None:
        super().__init__(
            f"Line {line} has {columns:,} columns; at most {limit:,} are taken. Bring those that are to be read.",
            line=line,
            columns=columns,
            limit=limit,
        )


class DataCellTooLong(InputError):
    """A cell of more characters than are taken."""

    code = "data_cell_too_long"

    def __init__(self, line: int, limit: int) -> None:
        super().__init__(
            f"A cell that begins in line {line} goes on for more than {limit:,} characters. "
            "Perhaps a quotation mark is not closed there.",
            line=line,
            limit=limit,
        )


class DataRagged(InputError):
    """A record with more columns than the first one."""

    code = "data_ragged"

    def __init__(self, line: int, columns: int, width: int) -> None:
        super().__init__(
            f"Line {line} has {columns} columns, and the first one has {width}. Put a cell that holds the separator in "
            '"quotation marks", or say another separator.',
            line=line,
            columns=columns,
            width=width,
        )


class DataEmpty(InputError):
    """Data to learn in which there is nothing."""

    code = "data_empty"

    def __init__(self) -> None:
        super().__init__("There is nothing to learn from: the data are empty.")


class DataColumns(InputError):
    """A line of labelled texts without exactly two columns."""

    code = "data_columns"

    def __init__(self, line: int, columns: int) -> None:
        super().__init__(
            f"Line {line} has {columns} column(s); there must be two: a text and its label. Put a text with commas "
            'in "quotation marks", or separate the columns with tabs.',
            line=line,
            columns=columns,
        )


class DataBlank(InputError):
    """A line of labelled texts whose text or label is empty.

    Args:
        line: counted from 1.
        column: "text" or "label".
    """

    code = "data_blank"

    def __init__(self, line: int, column: str) -> None:
        super().__init__(f"Line {line}: the column “{column}” is empty.", line=line, column=column)


class DataQuote(InputError):
    """A quotation mark of a CSV file that is not closed, or closed in the middle of a column."""

    code = "data_quote"

    def __init__(self, line: int) -> None:
        super().__init__(
            f'Line {line}: a quotation mark is not closed, or not at the end of its column. Write "" for a quotation '
            "mark inside of quotation marks.",
            line=line,
        )


class DataLineTooLong(InputError):
    """A line of data to learn that is longer than the limit."""

    code = "data_line_too_long"

    def __init__(self, line: int, length: int, limit: int) -> None:
        super().__init__(
            f"Line {line} has {length:,} characters; at most {limit:,} are taken. Nothing was cut: shorten the text.",
            line=line,
            length=length,
            limit=limit,
        )


class DataSentenceRagged(InputError):
    """A line of tagged words with another number of columns than those before it in its sentence."""

    code = "data_sentence_ragged"

    def __init__(self, line: int, columns: int, width: int) -> None:
        super().__init__(
            f"Line {line} has {columns} columns, and those before it have {width}. If a word has a blank in it, "
            "separate the columns by tabs in all lines.",
            line=line,
            columns=columns,
            width=width,
        )


class DataSentenceTooLong(InputError):
    """A tagged sentence with more words than the limit."""

    code = "data_sentence_too_long"

    def __init__(self, line: int, limit: int) -> None:
        super().__init__(
            f"Line {line}: the sentence has more than {limit} words. Put an empty line between two sentences.",
            line=line,
            limit=limit,
        )


class DataTagMissing(InputError):
    """A line of tagged words with one column."""

    code = "data_tag_missing"

    def __init__(self, line: int, word: str) -> None:
        super().__init__(
            f"Line {line} has no tag, only {word[:40]!r}: write a word, a blank or a tab, and its tag.",
            line=line,
            word=word[:40],
        )


class DataTag(InputError):
    """The last column of a line of tagged words is no BIO tag."""

    code = "data_tag"

    def __init__(self, line: int, tag: str) -> None:
        super().__init__(
            f"Line {line}: {tag[:40]!r} is no BIO tag. The last column is O, or B- or I- and a type, such as B-PER.",
            line=line,
            tag=tag[:40],
        )


class DataWord(InputError):
    """A word of tagged sentences with a blank in it, which no model of words could be given back."""

    code = "data_word"

    def __init__(self, line: int, word: str) -> None:
        super().__init__(
            f"Line {line}: the word {word[:40]!r} has a blank in it. Write its parts in lines of their own, or join "
            "them by an underscore.",
            line=line,
            word=word[:40],
        )


class DataLabels(InputError):
    """Labelled texts with too few or too many different labels."""

    code = "data_labels"

    def __init__(self, labels: int, least: int, most: int) -> None:
        super().__init__(
            f"The texts have {labels:,} different label(s); {least} to {most} are taken.",
            labels=labels,
            least=least,
            most=most,
        )


class DataTypes(InputError):
    """Tagged sentences with no entities, or with too many types of them."""

    code = "data_types"

    def __init__(self, types: int, most: int) -> None:
        super().__init__(
            f"The sentences have entities of {types:,} different type(s); 1 to {most} are taken.",
            types=types,
            most=most,
        )


class DataTooFew(InputError):
    """Too few different texts to learn from some and be judged on others."""

    code = "data_too_few"

    def __init__(self, texts: int, needed: int) -> None:
        super().__init__(
            f"There are {texts:,} different texts; at least {needed} are needed, because some are kept for the test.",
            texts=texts,
            needed=needed,
        )


class DataTooMany(InputError):
    """More texts than are taken."""

    code = "data_too_many"

    def __init__(self, line: int, limit: int) -> None:
        super().__init__(
            f"The file goes on after {limit:,} texts, at line {line}; no more are taken. Nothing was cut: bring a "
            "part of it.",
            line=line,
            limit=limit,
        )
