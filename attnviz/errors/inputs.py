"""Errors of what is given to a model to read."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "DoesNotWrite",
    "EmptyText",
    "ImageGone",
    "ImageNeeded",
    "ImageNotAllowed",
    "ImageUnreadable",
    "InputError",
    "InputNeeded",
    "InputsDoNotFit",
    "NoRow",
    "NotNumbers",
    "NotText",
    "NotUnicode",
    "TargetNeeded",
    "TargetNotAllowed",
    "TextOverLimit",
    "TextTooLong",
    "TokensOutside",
    "UnknownSymbols",
]


class InputError(AttnvizError, ValueError):
    """A text that this model cannot read."""

    code = "input"


class EmptyText(InputError):
    """Nothing but white space where a sequence is expected."""

    code = "empty_text"

    def __init__(self) -> None:
        super().__init__("The text is empty. Type a sequence for the model to read.")


class NotText(InputError, TypeError):
    """Something else where a text is expected.

    Args:
        kind: of what was given.
    """

    code = "not_text"

    def __init__(self, kind: str) -> None:
        super().__init__(f"A text is wanted, a str, not {kind}.", kind=kind)


class NotUnicode(InputError):
    """A text with half a character in it: one of a pair of surrogates, which stand for one character together.

    Args:
        code: of the lone surrogate, such as "U+D83D".
        place: of it, counted from 1.
    """

    code = "not_unicode"

    def __init__(self, code: str, place: int) -> None:
        super().__init__(
            f"The text holds half a character ({code}, character {place:,}), which no tokenizer reads: leave it out.",
            half=code,
            place=f"{place:,}",
        )


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


class TargetNotAllowed(InputError):
    """A target was given to a model that is not an encoder-decoder."""

    code = "target_not_allowed"

    def __init__(self, architecture: str) -> None:
        super().__init__(
            f"This {architecture} reads one text; a target belongs to encoder-decoder models only.",
            architecture=architecture,
        )


class TargetNeeded(InputError):
    """A decoder that does not write by itself was given nothing to read."""

    code = "target_needed"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"{name} ({kind}) has no head to write with: give its decoder a text to read, target=.",
            name=name,
            kind=kind,
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


class InputsDoNotFit(InputError):
    """Inputs that are made already, and not such as this model takes.

    Args:
        name: of the model.
        reason: what is wrong.
        takes: names of what it takes.
    """

    code = "inputs_do_not_fit"

    def __init__(self, name: str, reason: str, takes: Sequence[str]) -> None:
        super().__init__(
            f"{name} cannot read these inputs: {reason}. It takes tensors by name: {', '.join(takes)}.",
            name=name,
            reason=reason,
            takes=", ".join(takes),
        )


class TokensOutside(InputError, IndexError):
    """Ids of tokens that the model has no embedding for.

    Args:
        name: of the model.
        given: the first such id.
        vocabulary: tokens that it knows.
    """

    code = "tokens_outside"

    def __init__(self, name: str, given: int, vocabulary: int) -> None:
        super().__init__(
            f"{name} has no token {given:,}: its ids go from 0 to {vocabulary - 1:,}. "
            "Make them with the model's own tokenizer.",
            name=name,
            given=f"{given:,}",
            last=f"{vocabulary - 1:,}",
        )


class NoRow(InputError, IndexError):
    """A row that the batch does not have."""

    code = "no_row"

    def __init__(self, row: int, batch: int) -> None:
        super().__init__(f"no row {row} in a batch of {batch}: rows are counted from 0.", row=row, batch=batch)


class DoesNotWrite(InputError):
    """A model that goes on with no text."""

    code = "does_not_write"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"{name} does not write: it is no language model ({kind}). Trace it on a text: attnviz.trace(model, text).",
            name=name,
            kind=kind,
        )
