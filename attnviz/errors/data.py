"""Errors of data to learn from."""

from __future__ import annotations

from attnviz.errors.inputs import InputError

__all__ = [
    "DataBlank",
    "DataColumns",
    "DataEmpty",
    "DataEncoding",
    "DataLabels",
    "DataLineTooLong",
    "DataQuote",
    "DataSentenceTooLong",
    "DataTag",
    "DataTagMissing",
    "DataTooFew",
    "DataTooMany",
    "DataTypes",
    "OneCharacter",
    "SeriesColumns",
    "SeriesConstant",
    "SeriesNotNumber",
    "SeriesTooLong",
    "SeriesTooShort",
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
            f"Line {line}: {cell[:40]!r} is no finite number such as 12.5 or -3e4, at most 1e12. Decimal commas are "
            "read where columns are separated by semicolons or tabs; a missing value cannot be left out.",
            line=line,
            cell=cell[:40],
        )


class SeriesColumns(InputError):
    """A series whose lines have several numbers."""

    code = "series_columns"

    def __init__(self, line: int, count: int) -> None:
        super().__init__(
            f"Line {line} has {count} columns of numbers, and one is read: leave the others out. If these are decimal "
            "commas, write points.",
            line=line,
            count=count,
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


class DataEncoding(InputError):
    """Data to learn that is not text in UTF-8; names the first line that cannot be read."""

    code = "data_encoding"

    def __init__(self, line: int) -> None:
        super().__init__(f"Line {line} is not UTF-8 text: save the file as UTF-8 and hand it in again.", line=line)


class DataEmpty(InputError):
    """Data to learn without a single text."""

    code = "data_empty"

    def __init__(self) -> None:
        super().__init__("There is nothing to learn from: bring a file with texts and their labels.")


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
