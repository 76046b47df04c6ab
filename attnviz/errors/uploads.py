"""Errors of files that are uploaded."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "UploadCrashed", "UploadError", "UploadFileKind", "UploadFileSize", "UploadGrows", "UploadHolds", "UploadMemory",
    "UploadNoModel", "UploadNotZip", "UploadPath", "UploadReaches", "UploadSlow", "UploadText", "UploadTooLarge",
    "UploadTooMany", "UploadUnwritable",
]  # fmt: skip


class UploadError(AttnvizError):
    """A zip file of a model is not accepted; nothing of it is kept."""

    name: str


class UploadNotZip(UploadError):
    reason: str


class UploadTooLarge(UploadError):
    """The zip file is larger than the limit, or would be once unpacked."""

    limit: str


class UploadTooMany(UploadError):
    count: int
    limit: int


class UploadFileKind(UploadError):
    files: Sequence[str]
    allowed: Sequence[str]


class UploadPath(UploadError):
    """The zip file holds a file that would lie elsewhere than in the model's folder."""

    file: str


class UploadNoModel(UploadError):
    """The zip file holds no config.json."""


class UploadFileSize(UploadError):
    file: str
    limit: str


class UploadMemory(UploadError):
    limit: str


class UploadSlow(UploadError):
    seconds: str


class UploadHolds(UploadError):
    seconds: str


class UploadReaches(UploadError):
    what: str


class UploadCrashed(UploadError):
    reason: str


class UploadGrows(UploadError):
    what: str
    limit: str


class UploadText(UploadError):
    """The tokenizer takes too much time or memory for one text."""


class UploadUnwritable(UploadError):
    reason: str
