"""Every error attnviz raises on purpose.

    AttnvizError
    ├── ConfigError         a model or training configuration that cannot be built      (also a ValueError)
    │   └── TooMuchMemory   a step of training would take more memory than there is for it
    ├── ModelLoadError      a folder that does not hold a model
    │   ├── ModelNotFound   there is no such folder, or no config.json in it
    │   ├── ModelCorrupt    config.json or model.safetensors cannot be read
    │   ├── ModelMismatch   the weights are not those of the configuration
    │   ├── UnknownArchitecture  transformers has no such model
    │   ├── RemoteCode      it needs code that comes with it, which is never run
    │   ├── UnsafeWeights   the weights are pickled, not safetensors
    │   ├── NoTokenizer     the folder has no tokenizer
    │   ├── TokenizerMismatch  the tokenizer is that of another model
    │   ├── DownloadsOff    a model of the Hub, where downloads are not switched on
    │   ├── HubNotFound     the Hub has no such model, or cannot be reached
    │   └── CannotShow      its attention cannot be shown truly
    │       ├── AttentionHidden   a layer computes it where nobody can listen
    │       ├── AttentionUnseen   none was seen
    │       └── AttentionDiffers  it cannot be computed again
    ├── InputError          a text that this model cannot read                          (also a ValueError)
    │   ├── EmptyText       nothing to read
    │   ├── UnknownSymbols  symbols outside the model's vocabulary
    │   ├── TextTooLong     more tokens than the model has positions for
    │   │   └── TextOverLimit  more tokens than the page shows
    │   ├── NotNumbers      a token that is not the numbers a model of series, pictures or sounds reads
    │   ├── TextTooShort    a text to learn that is shorter than the context needs
    │   ├── OneCharacter    a text to learn in which there is nothing to predict
    │   ├── SeriesNotNumber  a line of a series without a number
    │   ├── SeriesColumns   several columns of numbers
    │   ├── SeriesTooShort  a series that is shorter than the context needs
    │   ├── SeriesTooLong   more points than are taken
    │   ├── SeriesConstant  a part of a series in which nothing changes
    │   ├── SoundUnreadable  a file that is no sound that can be read
    │   ├── SoundLength     a sound that is too short or too long
    │   ├── DataEncoding    data to learn that is not UTF-8 text
    │   ├── DataEmpty       there is nothing in it
    │   ├── DataColumns     a line without exactly a text and a label
    │   ├── DataBlank       a line whose text or label is empty
    │   ├── DataQuote       a quotation mark that is not closed
    │   ├── DataLineTooLong  a line that is longer than the limit
    │   ├── DataSentenceTooLong  a sentence that is longer than the limit
    │   ├── DataTagMissing  a word without a tag
    │   ├── DataTag         a tag that is no BIO tag
    │   ├── DataLabels      too few or too many labels
    │   ├── DataTypes       too few or too many types of entities
    │   ├── DataTooFew      too few different texts to divide
    │   ├── DataTooMany     more texts than are taken
    │   ├── TargetNotAllowed  a target for a model that reads one text only
    │   ├── ImageNeeded     a model that looks at an image was given none
    │   ├── ImageNotAllowed  an image for a model that reads text only
    │   ├── ImageUnreadable  a file that is not an image, or too large
    │   ├── ImageGone       an image that was handed in, and is no longer kept
    │   └── InputNeeded     a model that reads something else, such as sound
    ├── UploadError         a zip file that is not unpacked
    │   ├── UploadNotZip    it is no zip file, or a damaged one
    │   ├── UploadTooLarge  it is larger than the limit, or would be once unpacked
    │   ├── UploadTooMany   it holds too many files
    │   ├── UploadFileKind  it holds files of a kind that no model has
    │   ├── UploadPath      a file in it would lie elsewhere than in the model's folder
    │   ├── UploadNoModel   there is no config.json in it
    │   └── UploadUnwritable  the disk is full, or cannot be written to
    ├── CalculatorError     numbers that attention cannot be computed from              (also a ValueError)
    │   ├── TableUnreadable what was typed or pasted is no table
    │   ├── TableEmpty      there is no number in it
    │   ├── TableTooLarge   more rows or columns than the page takes
    │   ├── TableRagged     its rows are of different lengths
    │   ├── CellNotNumber   a cell that is no number
    │   ├── CellOutside     a number that is not finite, or too large
    │   ├── ShapesDoNotFit  two tables that do not go together
    │   ├── ValueOutside    a setting that cannot be that
    │   ├── OddWidth        sines and cosines need an even width
    │   ├── FileEncoding    a file that is not UTF-8 text
    │   └── FileNotProblem  a file that was not saved by the calculator
    ├── RunError            a training run that cannot be opened, written or started
    │   ├── RunNotFound     there is no such run
    │   ├── RunExists       there is a run of that name already
    │   ├── RunCorrupt      one of its files cannot be read
    │   ├── InvalidRunName  letters, digits, "_", "." and "-" make a name
    │   ├── RunUnwritable   the disk is full, or the folder cannot be written to
    │   └── RunBusy         it is being trained already
    ├── MeasuringBusy       this server measures already
    ├── ModelFailed         the model's own code fails on what it was given
    ├── OutOfMemory         there was not enough memory                                  (also a MemoryError)
    └── TrainingDiverged    the loss ran away                                           (also a FloatingPointError)

Each class has a `code`; a page looks up the message `error.<code>` in its language and fills it with `details`.
`str(error)` is the same message in English.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "AttentionDiffers",
    "AttentionHidden",
    "AttentionUnseen",
    "AttnvizError",
    "CalculatorError",
    "CannotShow",
    "CellNotNumber",
    "CellOutside",
    "ConfigError",
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
    "DownloadsOff",
    "EmptyText",
    "FileEncoding",
    "FileNotProblem",
    "HubNotFound",
    "ImageGone",
    "ImageNeeded",
    "ImageNotAllowed",
    "ImageUnreadable",
    "InputError",
    "InputNeeded",
    "InvalidRunName",
    "MeasuringBusy",
    "ModelCorrupt",
    "ModelFailed",
    "ModelLoadError",
    "ModelMismatch",
    "ModelNotFound",
    "NoTokenizer",
    "NotNumbers",
    "OddWidth",
    "OneCharacter",
    "OutOfMemory",
    "RemoteCode",
    "RunBusy",
    "RunCorrupt",
    "RunError",
    "RunExists",
    "RunNotFound",
    "RunUnwritable",
    "SeriesColumns",
    "SeriesConstant",
    "SeriesNotNumber",
    "SeriesTooLong",
    "SeriesTooShort",
    "ShapesDoNotFit",
    "SoundLength",
    "SoundUnreadable",
    "TableEmpty",
    "TableRagged",
    "TableTooLarge",
    "TableUnreadable",
    "TargetNotAllowed",
    "TextOverLimit",
    "TextTooLong",
    "TextTooShort",
    "TokenizerMismatch",
    "TooMuchMemory",
    "TrainingDiverged",
    "UnknownArchitecture",
    "UnknownSymbols",
    "UnsafeWeights",
    "UploadError",
    "UploadFileKind",
    "UploadNoModel",
    "UploadNotZip",
    "UploadPath",
    "UploadTooLarge",
    "UploadTooMany",
    "UploadUnwritable",
    "ValueOutside",
]


class AttnvizError(Exception):
    """Base of the tree: an English message, a `code` and the `details` that fill the message in any language."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class ConfigError(AttnvizError, ValueError):
    """A configuration that cannot be built; the message says what was given, what is expected and what to change."""

    code = "config"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message, message=message, **details)


class TooMuchMemory(ConfigError):
    """A step of training would take more memory than there is for it.

    Args:
        batch: sequences of the step.
        length: tokens of the longest sequence.
        needed: about what it would take, such as "5.3 GiB".
        limit: what there is.
        fits: largest batch that fits, 0 if none does.
    """

    code = "too_much_memory"

    def __init__(self, batch: int, length: int, needed: str, limit: str, fits: int) -> None:
        super().__init__(
            f"a batch of {batch:,} sequences of {length:,} tokens takes about {needed}, more than the limit of "
            f"{limit}: a batch of {fits:,} fits, a smaller model or shorter sequences take less",
            batch=batch,
            length=length,
            needed=needed,
            limit=limit,
            fits=fits,
        )


class ModelLoadError(AttnvizError):
    """A folder that does not hold a model attnviz can open."""

    code = "model_load"


class ModelNotFound(ModelLoadError):
    """There is no such folder, or it lacks one of the two files of a model."""

    code = "model_not_found"

    def __init__(self, name: str, missing: str) -> None:
        super().__init__(
            f"{name}: {missing} not found. A model is a folder with config.json and model.safetensors.",
            name=name,
            missing=missing,
        )


class ModelCorrupt(ModelLoadError):
    """One of the files of a model cannot be read."""

    code = "model_corrupt"

    def __init__(self, name: str, file: str, reason: str) -> None:
        super().__init__(f"{name}: {file} cannot be read: {reason}", name=name, file=file, reason=reason)


class ModelMismatch(ModelLoadError):
    """The weights are not the weights of the configuration beside them."""

    code = "model_mismatch"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name}: model.safetensors does not fit config.json: {reason}. "
            "Use the two files that were saved together.",
            name=name,
            reason=reason,
        )


class UnknownArchitecture(ModelLoadError):
    """The installed transformers library has no model of this architecture."""

    code = "unknown_architecture"

    def __init__(self, name: str, architecture: str) -> None:
        super().__init__(
            f"{name}: the architecture {architecture} is not known to the installed transformers library: "
            "another model, or a newer version of transformers, may work.",
            name=name,
            architecture=architecture,
        )


class RemoteCode(ModelLoadError):
    """The model needs Python code that comes with its files (trust_remote_code); such code is never run."""

    code = "remote_code"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} needs Python code that comes with its files (trust_remote_code), which is never run here: "
            "choose a model that transformers itself knows.",
            name=name,
        )


class UnsafeWeights(ModelLoadError):
    """The weights are in a format that can hide code."""

    code = "unsafe_weights"

    def __init__(self, name: str, file: str) -> None:
        super().__init__(
            f"{name}: its weights are pickled ({file}), a format that can hide code and is never read: "
            "save the model again with safe_serialization, as model.safetensors.",
            name=name,
            file=file,
        )


class NoTokenizer(ModelLoadError):
    """A folder, or a call, without a tokenizer."""

    code = "no_tokenizer"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: there is no tokenizer. Put its files (tokenizer.json, tokenizer_config.json) beside config.json, "
            "or hand one over: trace(model, text, tokenizer=tokenizer).",
            name=name,
        )


class TokenizerMismatch(ModelLoadError):
    """The tokenizer makes ids that the model has no embedding for."""

    code = "tokenizer_mismatch"

    def __init__(self, name: str, tokens: int, vocabulary: int) -> None:
        super().__init__(
            f"{name}: the tokenizer is that of another model: it has {tokens:,} tokens, "
            f"the model knows {vocabulary:,}.",
            name=name,
            tokens=f"{tokens:,}",
            vocabulary=f"{vocabulary:,}",
        )


class DownloadsOff(ModelLoadError):
    """A model of the Hugging Face Hub was asked for, and downloads are not switched on."""

    code = "downloads_off"

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(
            f"{name} would have to be downloaded, and downloads are off: set {variable}=1, or open a folder.",
            name=name,
            variable=variable,
        )


class HubNotFound(ModelLoadError):
    """The Hugging Face Hub has no such model, or cannot be reached."""

    code = "hub_not_found"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be had from the Hugging Face Hub ({reason}): check the name and the connection.",
            name=name,
            reason=reason,
        )


class CannotShow(ModelLoadError):
    """The model runs, but its attention cannot be shown truly."""

    code = "cannot_show"


class AttentionHidden(CannotShow):
    """A layer computes attention by itself, where nobody can listen."""

    code = "attention_hidden"

    def __init__(self, name: str, layer: str, kind: str) -> None:
        super().__init__(
            f"{name} cannot be shown: its layer {layer} ({kind}) computes attention by itself, not through the "
            "interface of transformers, and nothing is shown that was not seen.",
            name=name,
            layer=layer,
            kind=kind,
        )


class AttentionUnseen(CannotShow):
    """No layer of attention was seen at all."""

    code = "attention_unseen"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"{name} cannot be shown: no attention was seen in it ({kind}).", name=name, kind=kind)


class AttentionDiffers(CannotShow):
    """The weights of a layer cannot be computed again from its queries, keys and masks."""

    code = "attention_differs"

    def __init__(self, name: str, layer: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be shown: the weights of its layer {layer} cannot be computed again ({reason}).",
            name=name,
            layer=layer,
            reason=reason,
        )


class InputError(AttnvizError, ValueError):
    """A text that this model cannot read."""

    code = "input"


class EmptyText(InputError):
    """Nothing but white space where a sequence is expected."""

    code = "empty_text"

    def __init__(self) -> None:
        super().__init__("The text is empty. Type a sequence for the model to read.")


class UnknownSymbols(InputError):
    """Symbols outside the vocabulary; all of them are named, none is dropped.

    Attributes:
        symbols: the unknown symbols, each once, in order of appearance.
        known: the symbols the model does know.
    """

    code = "unknown_symbols"

    def __init__(self, symbols: Sequence[str], known: Sequence[str]) -> None:
        self.symbols = list(symbols)
        self.known = list(known)
        super().__init__(
            f"This model does not know {', '.join(map(repr, self.symbols))}. It knows: {' '.join(self.known)}",
            symbols=self.symbols,
            known=self.known,
        )


class NotNumbers(InputError):
    """A token that is not the list of numbers that a model of series, pictures or sounds reads.

    Attributes:
        token: as it was typed.
        place: of the token, counted from 1.
        width: numbers that a token has.
        low: the least number there can be.
        high: the greatest.
    """

    code = "not_numbers"

    def __init__(self, token: str, place: int, width: int, low: float, high: float) -> None:
        self.token, self.place, self.width, self.low, self.high = token, place, width, low, high
        super().__init__(
            f"Token {place}, {token[:40]!r}, is not what this model reads: "
            f"{width} number{'s' * (width > 1)} from {low:g} to {high:g}, separated by commas.",
            token=token[:40],
            place=place,
            width=width,
            low=f"{low:g}",
            high=f"{high:g}",
        )


class TextTooLong(InputError):
    """More tokens than the model has positions for; nothing is cut.

    Attributes:
        length: tokens given.
        limit: tokens the model can read.
    """

    code = "text_too_long"

    def __init__(self, length: int, limit: int) -> None:
        self.length = length
        self.limit = limit
        super().__init__(
            f"The text has {length:,} tokens; this model reads at most {limit:,}. Nothing was cut: shorten the text.",
            length=length,
            limit=limit,
        )


class TextOverLimit(TextTooLong):
    """More tokens than a page shows, whatever the model can read; nothing is cut."""

    code = "text_over_limit"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.args = (
            f"The text has {length:,} tokens; the page shows at most {limit:,}. Nothing was cut: shorten the text.",
        )


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


class TargetNotAllowed(InputError):
    """A target was given to a model that is not an encoder-decoder."""

    code = "target_not_allowed"

    def __init__(self, architecture: str) -> None:
        super().__init__(
            f"This {architecture} reads one text; a target belongs to encoder-decoder models only.",
            architecture=architecture,
        )


class ImageNeeded(InputError):
    """A model that looks at an image was given none."""

    code = "image_needed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} looks at an image: give one, image=path.", name=name)


class ImageNotAllowed(InputError):
    """An image for a model that reads text only."""

    code = "image_not_allowed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} reads text only: no image can be given to it.", name=name)


class ImageUnreadable(InputError):
    """A file that is not an image, or one too large to be read."""

    code = "image_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"this image cannot be read ({reason}): PNG, JPEG, GIF, BMP or WebP will do.", reason=reason)


class ImageGone(InputError):
    """An image that was handed in, and is no longer kept."""

    code = "image_gone"

    def __init__(self) -> None:
        super().__init__("The image is no longer here: hand it in again, or choose another one.")


class InputNeeded(InputError):
    """A model that reads something else than text and images."""

    code = "input_needed"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} reads {what}: prepare it with the model's own processor, and call "
            "attnviz.trace_inputs(model, inputs).",
            name=name,
            what=what,
        )


class UploadError(AttnvizError):
    """A zip file that is not unpacked; nothing of it is kept."""

    code = "upload"


class UploadNotZip(UploadError):
    """A file that is no zip file, or a damaged one."""

    code = "upload_not_zip"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be unpacked ({reason}): make a zip file of the model's folder anew, without a password.",
            name=name,
            reason=reason,
        )


class UploadTooLarge(UploadError):
    """A zip file that is larger than the limit, or would be once unpacked."""

    code = "upload_too_large"

    def __init__(self, name: str, limit: str) -> None:
        super().__init__(
            f"{name} holds more than {limit}: hand in a smaller model, or ask whoever runs this server "
            "to put it into the folder of models.",
            name=name,
            limit=limit,
        )


class UploadTooMany(UploadError):
    """A zip file that holds too many files."""

    code = "upload_too_many"

    def __init__(self, name: str, count: int, limit: int) -> None:
        super().__init__(
            f"{name} holds {count:,} files, at most {limit:,} are taken: zip the folder of one model alone.",
            name=name,
            count=count,
            limit=limit,
        )


class UploadFileKind(UploadError):
    """A zip file that holds files of a kind that no model needs here; all of them are named."""

    code = "upload_file_kind"

    def __init__(self, name: str, files: Sequence[str], allowed: Sequence[str]) -> None:
        shown = ", ".join(files[:5]) + (" ..." if len(files) > 5 else "")
        super().__init__(
            f"{name} holds {shown}: only {' '.join(allowed)} are taken. Leave the others out of the zip file.",
            name=name,
            files=shown,
            allowed=" ".join(allowed),
        )


class UploadPath(UploadError):
    """A zip file with a file that would lie elsewhere than in the model's folder."""

    code = "upload_path"

    def __init__(self, name: str, file: str) -> None:
        super().__init__(
            f"{name} holds {file}, which is not a plain file in one folder: zip the files of one model side by side.",
            name=name,
            file=file,
        )


class UploadNoModel(UploadError):
    """A zip file without a config.json."""

    code = "upload_no_model"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no config.json in {name}: zip the folder that save_pretrained wrote, "
            "with config.json, model.safetensors and the tokenizer's files.",
            name=name,
        )


class UploadUnwritable(UploadError):
    """There is no room for what was handed in."""

    code = "upload_unwritable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be kept on this server ({reason}): ask whoever runs it to make room.",
            name=name,
            reason=reason,
        )


class CalculatorError(AttnvizError, ValueError):
    """Numbers that attention cannot be computed from; rows and columns are counted from 1."""

    code = "calculator"


class TableUnreadable(CalculatorError):
    """What was typed or pasted is neither a NumPy array, nor nested lists, nor rows of cells."""

    code = "table_unreadable"

    def __init__(self, table: str, given: str) -> None:
        super().__init__(
            f"{table}: {given!r} is no table. Paste np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], CSV, "
            "or cells of a spreadsheet.",
            table=table,
            given=given,
        )


class TableEmpty(CalculatorError):
    """There is no number in a table."""

    code = "table_empty"

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} is empty: it needs at least one row with one number.", table=table)


class TableTooLarge(CalculatorError):
    """More rows or columns than the calculator takes."""

    code = "table_too_large"

    def __init__(self, table: str, rows: int, columns: int, limit: int) -> None:
        super().__init__(
            f"{table} is {rows:,} × {columns:,}: at most {limit} × {limit} numbers are taken here. "
            "Longer sequences belong in the Explorer.",
            table=table,
            rows=rows,
            columns=columns,
            limit=limit,
        )


class TableRagged(CalculatorError):
    """The rows of a table are of different lengths."""

    code = "table_ragged"

    def __init__(self, table: str, row: int, cells: int, expected: int) -> None:
        super().__init__(
            f"{table}, row {row}: {cells} cells, and {expected} in the first row. All rows must be equally long.",
            table=table,
            row=row,
            cells=cells,
            expected=expected,
        )


class CellNotNumber(CalculatorError):
    """A cell that is no number."""

    code = "cell_not_number"

    def __init__(self, table: str, row: int, column: int, cell: str) -> None:
        super().__init__(
            f"{table}, row {row}, column {column}: {cell!r} is no number. Type one such as 0.5 or -2e-3.",
            table=table,
            row=row,
            column=column,
            cell=cell,
        )


class CellOutside(CalculatorError):
    """A number that is not finite, or so large that what is computed from it would not be."""

    code = "cell_outside"

    def __init__(self, table: str, row: int, column: int, cell: str, limit: int) -> None:
        super().__init__(
            f"{table}, row {row}, column {column}: {cell} is not a finite number between -{limit:,} and {limit:,}.",
            table=table,
            row=row,
            column=column,
            cell=cell,
            limit=limit,
        )


class ShapesDoNotFit(CalculatorError):
    """Two tables that do not go together; the rule names the sizes that must be the same."""

    code = "shapes_do_not_fit"

    def __init__(self, first: str, first_shape: str, second: str, second_shape: str, rule: str) -> None:
        super().__init__(
            f"{first} is {first_shape} and {second} is {second_shape}, which does not fit: {rule}.",
            first=first,
            first_shape=first_shape,
            second=second,
            second_shape=second_shape,
            rule=rule,
        )


class ValueOutside(CalculatorError):
    """A setting that cannot be that."""

    code = "value_outside"

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name} cannot be {value}: {expected}.", name=name, value=value, expected=expected)


class OddWidth(CalculatorError):
    """Sines and cosines come in pairs, so what they are added to, or what they turn, has an even width."""

    code = "odd_width"

    def __init__(self, positions: str, width: str, value: int) -> None:
        super().__init__(
            f"{positions} positions work on pairs of dimensions: {width} = {value} must be even.",
            positions=positions,
            width=width,
            value=value,
        )


class FileEncoding(CalculatorError):
    """A file that is not text in UTF-8."""

    code = "file_encoding"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not UTF-8 text: save it as CSV (UTF-8) and hand it in again.", name=name)


class FileNotProblem(CalculatorError):
    """A file that was not saved by the calculator, or was changed since."""

    code = "file_not_problem"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be opened as a calculation: {reason}.", name=name, reason=reason)


class RunError(AttnvizError):
    """A training run that cannot be opened, written or started."""

    code = "run"


class RunNotFound(RunError):
    """There is no run of that name."""

    code = "run_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: there is no such run. A run is a folder with config.json in it.", name=name)


class RunExists(RunError):
    """There is a run of that name already; nothing is written over it."""

    code = "run_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: there is a run of that name already. Choose another name.", name=name)


class InvalidRunName(RunError):
    """A run cannot be called that."""

    code = "run_name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'{name!r} is no name for a run: use letters, digits, "_", "." and "-", begin with a letter or digit, '
            "100 characters at most.",
            name=name,
        )


class RunCorrupt(RunError):
    """One of the files of a run cannot be read: damaged, edited by hand, or written by a newer version."""

    code = "run_corrupt"

    def __init__(self, name: str, file: str, reason: str) -> None:
        super().__init__(f"run {name}: {file} cannot be read: {reason}", name=name, file=file, reason=reason)


class RunUnwritable(RunError):
    """The disk is full, or the folder cannot be written to; what is on disk stays readable."""

    code = "run_unwritable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"run {name} cannot be written: {reason}. What was recorded so far is kept: make room, then resume it.",
            name=name,
            reason=reason,
        )


class RunBusy(RunError):
    """Another process trains this run."""

    code = "run_busy"

    def __init__(self, name: str) -> None:
        super().__init__(f"run {name} is being trained already: watch it, or stop it first.", name=name)


class MeasuringBusy(AttnvizError):
    """This server measures already: two measurements at once would disturb each other."""

    code = "measuring_busy"

    def __init__(self) -> None:
        super().__init__("somebody else on this server is measuring: two at once would disturb each other. Try again.")


class ModelFailed(AttnvizError):
    """The model's own code fails on what it was given."""

    code = "model_failed"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be run: its own code says {reason!r}. Try another text, or check the model's files.",
            name=name,
            reason=reason,
        )


class OutOfMemory(AttnvizError, MemoryError):
    """There was not enough memory for the model, or for a text of this length."""

    code = "out_of_memory"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: there is not enough memory: a shorter text or a smaller model takes less.", name=name
        )


class TrainingDiverged(AttnvizError, FloatingPointError):
    """The loss is not a number any more, or far above where it began."""

    code = "training_diverged"

    def __init__(self, step: int, loss: float, learning_rate: float) -> None:
        super().__init__(
            f"the loss is {loss:.4g} at step {step}: lower the learning rate of {learning_rate:g}",
            step=step,
            loss=f"{loss:.4g}",
            learning_rate=f"{learning_rate:g}",
        )
