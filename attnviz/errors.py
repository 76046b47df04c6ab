"""Every error attnviz raises on purpose.

    AttnvizError
    ├── ConfigError         a model or training configuration that cannot be built      (also a ValueError)
    │   └── TooMuchMemory   a step of training would take more memory than there is for it
    ├── ModelLoadError      a folder that does not hold a model
    │   ├── ModelNotFound   there is no such folder, or no config.json in it
    │   ├── ModelCorrupt    config.json or model.safetensors cannot be read
    │   └── ModelMismatch   the weights are not those of the configuration
    ├── InputError          a text that this model cannot read                          (also a ValueError)
    │   ├── EmptyText       nothing to read
    │   ├── UnknownSymbols  symbols outside the model's vocabulary
    │   ├── TextTooLong     more tokens than the model has positions for
    │   ├── TextTooShort    a text to learn that is shorter than the context needs
    │   ├── OneCharacter    a text to learn in which there is nothing to predict
    │   └── TargetNotAllowed  a target for a model that reads one text only
    ├── RunError            a training run that cannot be opened, written or started
    │   ├── RunNotFound     there is no such run
    │   ├── RunExists       there is a run of that name already
    │   ├── RunCorrupt      one of its files cannot be read
    │   ├── InvalidRunName  letters, digits, "_", "." and "-" make a name
    │   ├── RunUnwritable   the disk is full, or the folder cannot be written to
    │   └── RunBusy         it is being trained already
    └── TrainingDiverged    the loss ran away                                           (also a FloatingPointError)

Each class has a `code`; a page looks up the message `error.<code>` in its language and fills it with `details`.
`str(error)` is the same message in English.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "AttnvizError",
    "ConfigError",
    "EmptyText",
    "InputError",
    "InvalidRunName",
    "ModelCorrupt",
    "ModelLoadError",
    "ModelMismatch",
    "ModelNotFound",
    "OneCharacter",
    "RunBusy",
    "RunCorrupt",
    "RunError",
    "RunExists",
    "RunNotFound",
    "RunUnwritable",
    "TargetNotAllowed",
    "TextTooLong",
    "TextTooShort",
    "TooMuchMemory",
    "TrainingDiverged",
    "UnknownSymbols",
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


class TargetNotAllowed(InputError):
    """A target was given to a model that is not an encoder-decoder."""

    code = "target_not_allowed"

    def __init__(self, architecture: str) -> None:
        super().__init__(
            f"This {architecture} reads one text; a target belongs to encoder-decoder models only.",
            architecture=architecture,
        )


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
