"""Routes of the view of a training run: its news while it goes on, and its files.

GET /attnviz/runs/<name>/news?generation=G&metrics=A&attention=B&lang=en    see `news`
GET /attnviz/runs/<name>/why?seq=N&site=NAME&head=H&query=I&key=J ...       see `attnviz.server.formed`
GET /attnviz/runs/<name>/metrics.csv, model.safetensors?step=N, model.py, tensorboard, run.zip    downloads

Errors are JSON {"error": code, "message": in the language that was asked for}: 404 where there is no such run or step,
403 for a download of somebody else's, 409 for a run that cannot be read. That a run is gone is no error of who asks for
news, who could not know: it is news.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from attnviz import locale
from attnviz.bounded import open_regular, reason
from attnviz.errors import AttnvizError, RunCorrupt, RunNotFound, RunNotYours, RunUnwritable, SwitchedOff
from attnviz.loading import find_run
from attnviz.server import workers
from attnviz.server.formed import formed
from attnviz.server.people.rights import NOBODY, Person, authority, checked_authority, may_look, offers, person_of
from attnviz.server.shelf import is_own
from attnviz.server.words import in_words
from attnviz.training import Run, RunState, place_in_queue, runs_root
from attnviz.training.run.export import metrics_csv, model_files, pytorch_script, tensorboard_zip, write_run_zip
from attnviz.training.run.folder import CONFIG
from attnviz.training.run.timeline import HEADER, MAGIC, MOST_HEADER, read_sites
from attnviz.zoo import EXAMPLE_RUNS

__all__ = ["RUNS_PATH", "news", "run_routes"]

RUNS_PATH = "attnviz/runs"
MOST = 16 * 2**20  # bytes of each file in one answer; the next request gets the rest
GONE = "gone"  # in place of a state
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # the disk takes no file that is to be downloaded
DELETING = 0.2  # seconds in which a run that is being deleted goes
# "identity": the server's own gzip works in its event loop and would hold up everybody else
PLAIN = {"Cache-Control": "no-store", "Content-Encoding": "identity"}


def run_routes(root: str) -> list[BaseRoute]:
    """Return the routes below `root`, "" or "/" and the server's base path; they read and nothing else."""
    made: dict[str, Callable[[Request, Run], Response]] = {
        "metrics.csv": _metrics_csv,
        "model.safetensors": _weights,
        "model.py": _script,
        "tensorboard": _tensorboard,
        "run.zip": _zip,
    }
    return [
        Route(f"{root}/{RUNS_PATH}/{{name}}/news", _answer(_news, _gone), methods=["GET"]),
        Route(f"{root}/{RUNS_PATH}/{{name}}/why", _answer(formed), methods=["GET"]),
        *(
            Route(f"{root}/{RUNS_PATH}/{{name}}/{file}", _answer(_owned(make)), methods=["GET"])
            for file, make in made.items()
        ),
    ]


def _not_found(message: str) -> Response:
    return JSONResponse({"error": RunNotFound.code, "message": message}, 404)


def _answer(
    make: Callable[[Request, Run], Response], absent: Callable[[str], Response] = _not_found
) -> Callable[[Request], Response]:
    """Return a handler for one run by its name, `absent` for one that is not there; Starlette calls it in a thread."""

    def handle(request: Request) -> Response:
        try:
            return _made(make, request)
        except AttnvizError as error:
            message = in_words(_language(request), error.code, error.details) or str(error)
            if isinstance(error, RunNotFound):
                return absent(message)
            status = 403 if isinstance(error, RunNotYours | SwitchedOff) else 409
            return JSONResponse({"error": error.code, "message": message}, status)

    return handle


def _owned(make: Callable[[Request, Run], Response]) -> Callable[[Request, Run], Response]:
    """Return a handler that answers to who may take the run away; examples are everybody's."""

    def handle(request: Request, run: Run) -> Response:
        mine = person_of(request.cookies)
        if not offers(mine, "export"):
            raise SwitchedOff
        if is_own(run):
            checked_authority(mine, run.folder)
        return make(request, run)

    return handle


def _made(make: Callable[[Request, Run], Response], request: Request) -> Response:
    """Return the answer for a run by its name."""
    try:
        return _made_now(make, request)
    except RunCorrupt:
        time.sleep(DELETING)
        return _made_now(make, request)  # a run that is being deleted was there in part, and is gone by now


def _made_now(make: Callable[[Request, Run], Response], request: Request) -> Response:
    run = _open(request.path_params["name"], person_of(request.cookies))
    try:
        return make(request, run)
    except OSError as error:
        if error.errno in FULL:
            raise RunUnwritable(run.name, reason(error)) from error
        file = Path(str(error.filename or run.folder)).name
        raise RunCorrupt(run.name, file, reason(error)) from error


def _language(request: Request) -> str:
    asked = request.query_params.get("lang", "")
    return asked if asked in locale.LANGUAGES else locale.DEFAULT


def _open(name: str, mine: Person) -> Run:
    """Return a run by its name, if it may be seen; its configuration is read again when the file is another one."""
    root = runs_root()
    run = _opened(root, name, _stamp(root / name), _stamp(EXAMPLE_RUNS / name))
    if not may_look(mine, run.folder):
        raise RunNotFound(name)
    return run


@lru_cache(64)
def _opened(root: Path, name: str, mine: int, example: int) -> Run:
    return find_run(name)


def _stamp(folder: Path) -> int:
    try:
        return (folder / "config.json").stat().st_mtime_ns
    except (OSError, ValueError):  # `find_run` says what is wrong with such a name
        return 0


def _news(request: Request, run: Run) -> Response:
    query = request.query_params
    metrics, attention = (_number(query.get(name, "")) or 0 for name in ("metrics", "attention"))
    try:
        mine = person_of(request.cookies)
        return _told(news(run, query.get("generation", ""), metrics, attention, _language(request), mine))
    except RunCorrupt as error:
        if (run.folder / CONFIG).exists():
            raise
        raise RunNotFound(run.name) from error  # it went while it was read


def _gone(message: str) -> Response:
    """The news of a run that was deleted or has another name now: a browser logs every answer of 404 as an error."""
    header = {"generation": "", "reset": False, "metrics": 0, "attention": 0, "state": GONE, "message": message}
    return _told(_packed({**header, "step": 0, "place": None, "share": None, "checkpoints": [], "resumable": False}))


def _told(body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers=PLAIN)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def news(run: Run, generation: str, metrics: int, attention: int, lang: str, mine: Person = NOBODY) -> bytes:
    """Pack what a reader with the first bytes of metrics.jsonl and attention.bin is missing.

    uint32 length of the header, the header as JSON, the lines of metrics.jsonl from `metrics` on, the frames of
    attention.bin from `attention` on; both only as far as they were written to their end. A run that is resumed
    writes these files anew: they are then another generation, and the answer begins at 0 and says "reset".

    Args:
        generation: generation of the reader's bytes; "" for one who has none.
        metrics: bytes of metrics.jsonl that it has.
        attention: bytes of attention.bin that it has.
        mine: who asks.

    Raises:
        RunCorrupt: its state.json cannot be read, or attention.bin does not begin like one.
        OSError: metrics.jsonl or attention.bin cannot be read.
    """
    state = run.state()  # before the files: what a run that has ended wrote is all there
    now = _generation(run)
    lines, frames = _lines(run.metrics_path, metrics), _frames(run.timeline_path, attention)
    reset = generation != now or lines is None or frames is None
    if reset:
        lines, frames = _lines(run.metrics_path, 0), _frames(run.timeline_path, 0)
    lines, frames = lines or b"", frames or b""
    header: dict[str, object] = {
        "generation": now,
        "reset": reset,
        "metrics": len(lines),
        "attention": len(frames),
        "state": state.state,
        "step": state.step,
        "place": place_in_queue(run) if state.state == "queued" else None,
        "share": workers.look(run) if state.active else None,
        "message": workers.trouble(lang) if state.state == "queued" else _explain_failure(state, lang),
        "by": _by(run, state, mine),
        "checkpoints": run.checkpoints(),
        "resumable": state.resumable,
    }
    return _packed(header) + lines + frames


def _by(run: Run, state: RunState, mine: Person) -> str:
    """Return who paused or stopped a run: "owner" or "teacher", "" where that was who asks, or a word of its sweep."""
    if state.by:
        return state.by
    if state.state not in ("stopped", "paused"):
        return ""
    told = run.commands.last("stop") if state.state == "stopped" else run.commands.last("pause", "step")
    return (
        told.by
        if told is not None and told.by in ("owner", "teacher") and told.by != authority(mine, run.folder)
        else ""
    )


def _packed(header: dict[str, object]) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text


def _generation(run: Run) -> str:
    """Resuming replaces metrics.jsonl, by a file of another number."""
    try:
        return str(run.metrics_path.stat().st_ino)
    except FileNotFoundError:
        return "none"


def _lines(path: Path, start: int) -> bytes | None:
    """Return the whole lines from a position on; None where no line begins there."""
    before = min(start, 1)
    data = _read(path, start - before)
    if before and data[:1] != b"\n":
        return None
    return data[before : data.rfind(b"\n") + 1]


def _frames(path: Path, start: int) -> bytes | None:
    """The whole frames from a position on, with the line before the first one; None where no frame begins there."""
    data = _read(path, start)
    end = 0 if start else data.find(b"\n") + 1
    if end or len(data) >= MOST_HEADER:
        read_sites(path, data[: min(end, MOST_HEADER) or MOST_HEADER])
    while data[end : end + len(MAGIC)] == MAGIC and len(data) >= end + HEADER.size:
        length = HEADER.unpack_from(data, end)[3]
        if end + HEADER.size + length > len(data):
            break
        end += HEADER.size + length
    begins = MAGIC.startswith(data[: len(MAGIC)]) and start <= _size(path)
    return data[:end] if begins or not start else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, start: int) -> bytes:
    try:
        with open_regular(path) as file:
            left = os.fstat(file.fileno()).st_size - start
            if left <= 0:  # nor can one go there: file systems have an end
                return b""
            file.seek(start)
            return file.read(min(MOST, left))
    except FileNotFoundError:
        return b""


def _explain_failure(state: RunState, lang: str) -> str:
    known = state.error if isinstance(state.error, dict) else {}
    return in_words(lang, str(known.get("code")), known.get("details")) or state.message


def _metrics_csv(request: Request, run: Run) -> Response:
    return _download(metrics_csv(run).encode(), f"{run.name}.csv", "text/csv; charset=utf-8")


def _weights(request: Request, run: Run) -> Response:
    """Return a kept checkpoint, the newest where the request names none."""
    kept = run.checkpoints()
    step = _number(request.query_params["step"]) if "step" in request.query_params else max(kept, default=None)
    if step is None or step not in kept:
        return JSONResponse({"error": "step"}, 404)
    return _download(model_files(run, step), f"{run.name}-step-{step}.safetensors", "application/octet-stream")


def _script(request: Request, run: Run) -> Response:
    return _download(pytorch_script(run).encode(), f"{run.name}.py", "text/x-python; charset=utf-8")


def _tensorboard(request: Request, run: Run) -> Response:
    return _download(tensorboard_zip(run), f"{run.name}-tensorboard.zip", "application/zip")


def _zip(request: Request, run: Run) -> Response:
    """Through a file, for it may be large; it goes when it was sent."""
    with NamedTemporaryFile(suffix=".zip", delete=False) as file:
        written = Path(file.name)
        try:
            write_run_zip(run, cast(BinaryIO, file))
        except BaseException:
            written.unlink()
            raise
    sent = BackgroundTask(written.unlink)
    return FileResponse(written, filename=f"{run.name}.zip", headers=PLAIN, background=sent)


def _download(content: bytes, name: str, media_type: str) -> Response:
    """Return a file to keep. The name of a run may hold letters of any language, so it travels encoded."""
    headers = {**PLAIN, "Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(content, media_type=media_type, headers=headers)
