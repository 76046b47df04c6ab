"""Stores that all sessions of this server share: traces, open models, images and uploads."""

from __future__ import annotations

from attnviz.server.handed_in import HandedIn
from attnviz.server.images import ImageStore
from attnviz.server.open_models import ModelKey, ModelStore, parameter_memory
from attnviz.server.traces import TraceStore
from attnviz.server.uploads import UploadStore

__all__ = ["IMAGES", "MODELS", "TRACES", "UPLOADS"]

TRACES = TraceStore()
MODELS = ModelStore(parameter_memory(), on_drop=lambda key: TRACES.forget(*key))
_FOLDER = HandedIn()
IMAGES = ImageStore(folder=_FOLDER)
UPLOADS = UploadStore(on_drop=lambda name: MODELS.drop(ModelKey(name)), folder=_FOLDER)
