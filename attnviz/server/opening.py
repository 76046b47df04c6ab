"""Open a listed model, and remember what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from attnviz.downloads import DOWNLOADS, downloads_are_on
from attnviz.errors import AttnvizError, DownloadsOff, HubNotFound, ModelNotFound
from attnviz.guard import guarded
from attnviz.loading import HUB, is_hugging_face, load_model
from attnviz.models.bundle import CONFIG_FILE
from attnviz.server.limits import check_length
from attnviz.server.listing import find
from attnviz.server.open_models import AnyModel, ModelKey
from attnviz.server.stores import MODELS, UPLOADS
from attnviz.server.uploads import is_upload

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["VERDICTS", "Reason", "open_model"]


class Reason(NamedTuple):
    """Keep an error's code and details, and not the error itself, which keeps all it passed through."""

    code: str
    details: Mapping[str, object]


VERDICTS: dict[ModelKey, Reason | None] = {}
"""Verdicts on models that were opened: None where all can be shown, else why not."""


def open_model(name: str, version: int = 0) -> AnyModel:
    """Return a listed model with its weights, ready to be traced.

    Args:
        version: see `Listed`; another one is loaded again.

    Raises:
        AttnvizError: it is not there any more, damaged, or cannot be shown.
    """
    key = ModelKey(name, version)
    upload = UPLOADS.get(name)
    try:
        with guarded(name if upload is None else upload.title):
            model = MODELS.obtain(key, lambda: _load(name))
            _ = model.facts  # how it attends is learnt now, and said if it cannot be shown
    except AttnvizError as error:
        if not isinstance(error, HubNotFound):  # of such names there is no end
            VERDICTS[key] = Reason(error.code, error.details)
        raise
    VERDICTS[key] = None
    return model


def _load(name: str) -> AnyModel:
    if is_upload(name):
        UPLOADS.examine(name)
    found = find(name)
    if found is None or found.folder is None:
        if is_upload(name):
            raise ModelNotFound(name, CONFIG_FILE)
        if name.startswith(HUB) and not downloads_are_on():
            raise DownloadsOff(name, DOWNLOADS)
        return load_model(name)
    if not is_hugging_face(found.folder):
        return load_model(found.folder)
    from attnviz.huggingface import open_folder

    model = open_folder(found.folder, found.title)
    return _with_template_apart(model, name) if is_upload(name) else model


def _with_template_apart(model: HuggingFaceModel, name: str) -> HuggingFaceModel:
    """Have the chat template of an upload, which is a program of its own, run in its sandbox alone."""

    def render(text: str) -> str:
        prompt = UPLOADS.render(name, text)
        check_length(model, prompt)
        return prompt

    return replace(model, render=render)
