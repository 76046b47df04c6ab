"""Errors of files that are handed in."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "UploadError",
    "UploadFileKind",
    "UploadNoModel",
    "UploadNotZip",
    "UploadPath",
    "UploadTooLarge",
    "UploadTooMany",
    "UploadUnwritable",
]


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
