"""Files of tagged words, as the shared tasks of CoNLL have them."""

from __future__ import annotations

from attnviz.errors import DataEmpty, DataLineTooLong, DataSentenceTooLong, DataTag, DataTagMissing, DataTooMany
from attnviz.tasks.bio import is_tag

__all__ = ["MOST_SENTENCES", "MOST_WORDS", "Sentence", "read_conll"]

Sentence = tuple[tuple[str, str], ...]
"""Words and their tags."""

MOST_SENTENCES = 20_000
MOST_WORDS = 200  # of a sentence
MOST_CHARACTERS = 1000  # of a line
DOCUMENT = "-DOCSTART-"


def read_conll(text: str) -> tuple[Sentence, ...]:
    """Sentences of a file with a word a line, its tag in the last column, and an empty line between sentences.

    Columns are separated by blanks or tabs; those between the first, the word, and the last, the tag, are not read.
    A line that begins with "-DOCSTART-" ends a sentence and is left out, and so is a comment: a line that begins with
    "#" and does not end with a tag. I- after O is read as conlleval reads it, see `attnviz.tasks.bio.spans`.

    Raises:
        DataEmpty: there is no word.
        DataTagMissing: a line has one column.
        DataTag: a last column that is no BIO tag.
        DataLineTooLong: a line of more than 1,000 characters.
        DataSentenceTooLong: a sentence of more than 200 words.
        DataTooMany: more than 20,000 sentences.

    Example:
        >>> read_conll("Anna B-PER\\nsings O\\n\\nOslo NNP B-LOC\\n")
        ((('Anna', 'B-PER'), ('sings', 'O')), (('Oslo', 'B-LOC'),))

    Source:
        Tjong Kim Sang and De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task", section 2.
    """
    sentences: list[Sentence] = []
    words: list[tuple[str, str]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if len(line) > MOST_CHARACTERS:
            raise DataLineTooLong(number, len(line), MOST_CHARACTERS)
        columns = line.split()
        if not columns or columns[0] == DOCUMENT:
            sentences += [tuple(words)] if words else []
            words = []
        elif not (columns[0].startswith("#") and not is_tag(columns[-1])):
            words.append(_word(columns, number))
            _check_size(len(sentences), len(words), number)
    sentences += [tuple(words)] if words else []
    if not sentences:
        raise DataEmpty
    return tuple(sentences)


def _word(columns: list[str], line: int) -> tuple[str, str]:
    """A word and its tag."""
    if len(columns) == 1:
        raise DataTagMissing(line, columns[0])
    if not is_tag(columns[-1]):
        raise DataTag(line, columns[-1])
    return columns[0], columns[-1]


def _check_size(complete: int, words: int, line: int) -> None:
    """Refuse one sentence too many, or one word too many in it."""
    if complete == MOST_SENTENCES:
        raise DataTooMany(line, MOST_SENTENCES)
    if words > MOST_WORDS:
        raise DataSentenceTooLong(line, MOST_WORDS)
