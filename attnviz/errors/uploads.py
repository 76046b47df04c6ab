"""Errors of files that are handed in."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "UploadCrashed",
    "UploadError",
    "UploadFileKind",
    "UploadFileSize",
    "UploadGrows",
    "UploadHolds",
    "UploadMemory",
    "UploadNoModel",
    "UploadNotZip",
    "UploadPath",
    "UploadReaches",
    "UploadSlow",
    "UploadText",
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


class UploadFileSize(UploadError):
    """A file that is larger than any model needs it to be."""

    code = "upload_file_size"

    def __init__(self, name: str, file: str, limit: str) -> None:
        super().__init__(
            f"{name}: {file} is larger than {limit}, the limit for such a file: "
            "ask whoever runs this server to put the model into the folder of models.",
            name=name,
            file=file,
            limit=limit,
        )


class UploadMemory(UploadError):
    """A model that takes more memory, while it is opened, than its weights explain."""

    code = "upload_memory"

    def __init__(self, name: str, limit: str) -> None:
        super().__init__(
            f"{name} takes more than {limit} of memory to open: compare the sizes in config.json with the weights.",
            name=name,
            limit=limit,
        )


class UploadSlow(UploadError):
    """A model that takes too long to open."""

    code = "upload_slow"

    def __init__(self, name: str, seconds: str) -> None:
        super().__init__(
            f"{name} takes longer than {seconds} s to open: compare the sizes in config.json with the weights, "
            "or hand in a smaller model.",
            name=name,
            seconds=seconds,
        )


class UploadHolds(UploadError):
    """A model that keeps everybody else waiting while it is opened."""

    code = "upload_holds"

    def __init__(self, name: str, seconds: str) -> None:
        super().__init__(
            f"{name} would keep everybody else on this server waiting for {seconds} s while it is opened, mostly "
            "because of its tokenizer: hand in a model with a smaller vocabulary.",
            name=name,
            seconds=seconds,
        )


class UploadReaches(UploadError):
    """A model that needs something outside of its folder: the network, another file, a program."""

    code = "upload_reaches"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} needs something outside of its own folder ({what}), which is never fetched: "
            "hand in a folder that holds all of the model.",
            name=name,
            what=what,
        )


class UploadCrashed(UploadError):
    """A model at which the process that opened it died."""

    code = "upload_crashed"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be opened: the process that tried it died ({reason}). Save the model again.",
            name=name,
            reason=reason,
        )


class UploadGrows(UploadError):
    """A tokenizer that makes far longer texts than any model's does."""

    code = "upload_grows"

    def __init__(self, name: str, what: str, limit: str) -> None:
        super().__init__(
            f"{name}: its tokenizer makes {what}, the limit is {limit}: hand in the model with its own tokenizer.",
            name=name,
            what=what,
            limit=limit,
        )


class UploadText(UploadError):
    """A text for which the tokenizer of a model takes too much time or memory."""

    code = "upload_text"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the tokenizer of {name} takes too much time or memory for this text: try another text.",
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
