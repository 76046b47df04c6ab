"""Texts on which heads are measured: samples of a model's own task, a shipped file, or a file of one's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torch import Generator

from attnviz.analysis.patterns import texts_of
from attnviz.bounded import read_bytes, reason
from attnviz.errors import NoImages, NotTextAlone, TextsUnreadable
from attnviz.errors.base import Why
from attnviz.models import SequenceModel
from attnviz.training import RECIPES
from attnviz.training.run.probe import sequences

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["MOST_TEXTS", "Text", "read_texts", "shipped_texts"]

SAMPLES = 48
MOST_BYTES = 16 * 2**20
MOST_TEXTS = 10_000
MOST_CHARACTERS = 20_000  # of one text


class Text(NamedTuple):
    """A text, and for an encoder-decoder the text of its decoder (None: the model writes it itself)."""

    text: str
    target: str | None = None


def shipped_texts(model: SequenceModel | HuggingFaceModel, seed: int = 0) -> list[Text]:
    """Return the texts that come with a model: test samples of the recipe it was trained by, else examples of its card;
    for models of transformers, English sentences, some followed by themselves, so that induction has something to find.

    Sentences that are too long for a model of transformers are left out.

    Raises:
        NoImages: the model reads images alone.
        NotTextAlone: it reads something else than a text, or something more.
    """
    if not isinstance(model, SequenceModel):
        return _sentences(model)
    recipe = RECIPES.get(model.card.recipe)
    if recipe is not None:
        batch = recipe.task.held_out(SAMPLES, Generator().manual_seed(seed))
        return list(dict.fromkeys(Text(*texts_of(model, sequence)) for sequence in sequences(batch, SAMPLES)))
    return [Text(example) if isinstance(example, str) else Text(*example) for example in model.card.examples]


def _sentences(model: HuggingFaceModel) -> list[Text]:
    if model.sees_images and not model.reads_text:
        raise NoImages(model.name)
    if model.hears_sound or (model.sees_images and not model.writes):
        raise NotTextAlone(model.name)
    found = read_texts(Path(str(files("attnviz.heads") / "texts.txt")))
    if model.max_len is None or model.tokenizer is None:
        return found
    return [each for each in found if len(model.tokenizer(each.text, verbose=False)["input_ids"]) <= model.max_len]


def read_texts(path: Path) -> list[Text]:
    """Return the texts of a file, one a line; what follows a tab is what the decoder of an encoder-decoder reads.

    Raises:
        TextsUnreadable: the file cannot be read, is no UTF-8, or has too much in it; the message says what to change.
    """
    try:
        lines = read_bytes(path, MOST_BYTES).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TextsUnreadable(path.name, Why("texts-encoding", byte=error.start + 1)) from error
    except (OSError, ValueError) as error:
        raise TextsUnreadable(path.name, reason(error)) from error
    found = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise TextsUnreadable(path.name, Why("texts-empty"))
    if len(found) > MOST_TEXTS:
        raise TextsUnreadable(path.name, Why("texts-many", n=len(found), most=MOST_TEXTS))
    for number, line in found:
        if len(line) > MOST_CHARACTERS:
            raise TextsUnreadable(path.name, Why("texts-long", line=number, n=len(line), most=MOST_CHARACTERS))
    halves = [line.partition("\t") for _, line in found]
    return [Text(text, target or None) for text, _, target in halves]
