"""One guard for whatever a model, its tokenizer, its processor, its files or its input may raise.

Each of them runs code that is not ours, on content that nobody has looked at: any exception can come out of it. Inside
`guarded` all of them become errors of attnviz, at load, at the first look and at every run alike.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import TypeVar

import torch

from attnviz.errors import AttnvizError, ModelFailed, OutOfMemory, OwnFault, PackageMissing, TokenizerFailed
from attnviz.errors.base import Why

__all__ = ["guarded", "is_out_of_memory", "package_of", "passes_on", "reason_of"]

logger = logging.getLogger(__name__)

HERE = str(Path(__file__).parent)
PANIC = "pyo3_runtime"  # module of what code in Rust raises when it fails: no Exception, so that few catch it
MEMORY = re.compile(
    r"not enough memory|can't allocate memory|[Ii]nvalid buffer size|Storage size calculation overflowed"
)
INSTALL = re.compile(r"pip3? install (?:-U |--upgrade |--pre )*[`'\"]?([A-Za-z0-9][\w.-]*(?:\[[\w,]+\])?)")
REQUIRES = re.compile(r"requires? (?:the )?[`'\"]?([A-Za-z][\w.-]*)[`'\"]? (?:library|package)")
LONGEST = 200  # characters of a reason

_passing: set[CodeType] = set()
_Function = TypeVar("_Function", bound=Callable[..., object])


def passes_on(function: _Function) -> _Function:
    """Mark a function of ours that stands between a model and what the model called: what fails there is not ours."""
    _passing.add(function.__code__)
    return function


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turn everything that is raised inside into an error of attnviz.

    Args:
        name: name of the model, for the message.

    Raises:
        OutOfMemory: there was not enough memory.
        PackageMissing: the model needs a package that is not installed.
        TokenizerFailed: its tokenizer failed.
        ModelFailed: other code of the model failed.
        OwnFault: code of attnviz failed, which is a mistake of ours; the log has its traceback.
        AttnvizError: what is one already passes through.
    """
    try:
        yield
    except (AttnvizError, Warning):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != PANIC:
            raise  # somebody stops the program
        raise _translated(error, name) from error


def _translated(error: BaseException, name: str) -> AttnvizError:
    if is_out_of_memory(error):
        return OutOfMemory(name)
    files = _files(error)
    if isinstance(error, ImportError) and (package := package_of(error)):
        return PackageMissing(name, package)
    if _is_ours(files):
        logger.error("a fault of attnviz, with %s", name, exc_info=error)
        return OwnFault(name, reason_of(error))
    logger.info("%s failed", name, exc_info=error)
    failure = TokenizerFailed if any("tokeniz" in Path(file).name for file in files) else ModelFailed
    return failure(name, reason_of(error))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was not enough memory."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and MEMORY.search(str(error)) is not None
    )


def reason_of(error: BaseException) -> str:
    """Return the first line of what an exception says, with its kind where that alone would say little.

    Example:
        >>> reason_of(KeyError("name")), reason_of(ValueError("too long, by 3"))
        ("KeyError: 'name'", 'too long, by 3')
    """
    if isinstance(error, AttnvizError):
        return Why.of(error)
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if isinstance(error, KeyError) or not line:
        line = f"{type(error).__name__}: {line}".removesuffix(": ")
    return line[:LONGEST]


def _files(error: BaseException) -> list[str]:
    """Files of the functions that an exception came through, without those that only pass on what others raise."""
    files, step = [], error.__traceback__
    while step is not None:
        if step.tb_frame.f_code not in _passing:
            files.append(step.tb_frame.f_code.co_filename)
        step = step.tb_next
    return files


def _is_ours(files: list[str]) -> bool:
    return bool(files) and files[-1].startswith(HERE)


def package_of(error: ImportError) -> str:
    """Return the package that is missing, as far as the exception tells; "" where it does not."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    text = " ".join(str(error).split())
    found = INSTALL.search(text) or REQUIRES.search(text)
    return found[1] if found else ""
