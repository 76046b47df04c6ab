from __future__ import annotations

import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from starlette.applications import Starlette

from attnviz import locale
from attnviz.errors import RunCorrupt, TrainingDiverged
from attnviz.server import run_routes as routes_module
from attnviz.server import workers
from attnviz.server.run_routes import run_routes
from attnviz.training import Run, RunState, record
from attnviz.training.run.process import ProcessId
from attnviz.training.run.queue import Share
from tests.training.runs import small_run, stop_after
from tests.ui.asgi import Answer, get

APP = Starlette(routes=run_routes(""))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs for one test."""
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path))
    return tmp_path


def news(name: str, **query: object) -> tuple[dict[str, Any], bytes, bytes]:
    """Header, lines and frames of an answer, read as its description says."""
    answer = get(APP, f"/attnviz/runs/{name}/news", {key: str(value) for key, value in query.items()})
    assert answer.status == 200, answer.content
    size = int.from_bytes(answer.content[:4], "little")
    header = json.loads(answer.content[4 : 4 + size])
    lines = answer.content[4 + size : 4 + size + header["metrics"]]
    frames = answer.content[4 + size + header["metrics"] :]
    assert len(frames) == header["attention"]
    return header, lines, frames


def refused(name: str, **query: str) -> Answer:
    return get(APP, f"/attnviz/runs/{name}/news", query)


def test_the_first_news_is_everything(done: Run) -> None:
    header, lines, frames = news("learned")
    assert lines == done.metrics_path.read_bytes()
    assert frames == done.timeline_path.read_bytes()
    assert header["reset"] is True
    assert (header["state"], header["step"], header["place"], header["message"]) == ("done", 12, None, "")
    assert header["checkpoints"] == done.checkpoints()
    assert header["resumable"] is False


def test_a_run_at_work_says_what_it_has_of_the_machine(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever asks is somebody who looks at it."""
    looked: list[str] = []

    def look(run: Run) -> Share:
        looked.append(run.name)
        return Share(1, 11)

    monkeypatch.setattr(workers, "look", look)
    run = small_run(own / "run")
    assert news("run")[0]["share"] is None
    with run.claimed():
        run.write_state(RunState("running", process=ProcessId.current()))
        assert news("run")[0]["share"] == [1, 11]
    assert looked == ["run"]


def test_who_has_everything_gets_nothing(done: Run) -> None:
    first, lines, frames = news("learned")
    header, *rest = news("learned", generation=first["generation"], metrics=len(lines), attention=len(frames))
    assert rest == [b"", b""]
    assert header["reset"] is False


def test_pieces_are_the_whole(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = max(len(line) for line in done.metrics_path.read_bytes().splitlines(keepends=True))
    monkeypatch.setattr(routes_module, "MOST", 2 * longest)
    generation, lines, frames = "", b"", b""
    for _ in range(200):
        header, more_lines, more_frames = news(
            "learned", generation=generation, metrics=len(lines), attention=len(frames)
        )
        assert header["reset"] is (generation == "")
        generation = header["generation"]
        if not more_lines and not more_frames:
            break
        lines, frames = lines + more_lines, frames + more_frames
    assert lines == done.metrics_path.read_bytes()
    assert frames == done.timeline_path.read_bytes()


def test_half_a_line_and_half_a_frame_wait(own: Path) -> None:
    run = small_run(own / "half")
    record(run, stop_after(4))
    whole = run.metrics_path.read_bytes(), run.timeline_path.read_bytes()
    for cut in (1, 5, 20):
        with run.metrics_path.open("ab") as file:
            file.write(whole[0][:cut])
        with run.timeline_path.open("ab") as file:
            file.write(whole[1][whole[1].index(b"SNAP") :][:cut])
        _, lines, frames = news("half")
        assert (lines, frames) == whole
        for path, content in zip((run.metrics_path, run.timeline_path), whole, strict=True):
            path.write_bytes(content)


def test_a_place_beyond_any_file_begins_anew(done: Run) -> None:
    """Larger than the file, and than any file that a file system holds."""
    first = news("learned")[0]
    for place in (10**7, 10**15 - 1):
        header, lines, frames = news("learned", generation=first["generation"], metrics=place, attention=place)
        assert header["reset"] is True
        assert (lines, frames) == (done.metrics_path.read_bytes(), done.timeline_path.read_bytes())


def test_a_timeline_that_is_none_is_said(own: Path) -> None:
    small_run(own / "odd")
    (own / "odd" / "attention.bin").write_bytes(b'{"format": 1, "sites": [{"sequence": 1e30}]}\n')
    assert refused("odd").status == 409
    (own / "odd" / "attention.bin").unlink()
    (own / "odd" / "attention.bin").mkdir()
    answer = refused("odd")
    assert (answer.status, answer.json()["error"]) == (409, "run_corrupt")
    assert str(own) not in answer.json()["message"], "no folder of the server is told"


def test_a_resumed_run_is_another_generation(own: Path) -> None:
    run = small_run(own / "again")
    record(run, stop_after(5))
    first, lines, frames = news("again")
    record(run, stop_after(3))
    header, *both = news("again", generation=first["generation"], metrics=len(lines), attention=len(frames))
    assert header["reset"] is True
    assert header["generation"] != first["generation"]
    assert both == [run.metrics_path.read_bytes(), run.timeline_path.read_bytes()]


@pytest.mark.parametrize(("metrics", "attention"), [(3, 0), (0, 7), (10**9, 0), (0, 10**9)])
def test_a_reader_who_has_other_bytes_begins_anew(done: Run, metrics: int, attention: int) -> None:
    """The number of a file can be used again after two resumptions: the bytes before tell."""
    generation = news("learned")[0]["generation"]
    header, *both = news("learned", generation=generation, metrics=metrics, attention=attention)
    assert header["reset"] is True
    assert both == [done.metrics_path.read_bytes(), done.timeline_path.read_bytes()]


@pytest.mark.parametrize("place", ["-1", "x", "٣", "9" * 400, ""])
def test_a_place_that_is_none_is_the_beginning(done: Run, place: str) -> None:
    generation = news("learned")[0]["generation"]
    assert news("learned", generation=generation, metrics=place)[1] == done.metrics_path.read_bytes()


def test_a_run_that_has_not_begun_has_no_news(own: Path) -> None:
    small_run(own / "new")
    header, lines, frames = news("new")
    assert (lines, frames, header["checkpoints"]) == (b"", b"", [])
    assert (header["state"], header["resumable"]) == ("stopped", True)


def test_a_run_that_waits_sees_its_place(own: Path) -> None:
    from attnviz.training.run.process import ProcessId

    for place, name in enumerate(("first", "second"), 1):
        small_run(own / name).write_state(RunState("queued", process=ProcessId.current(), queued=float(place)))
    assert [news(name)[0]["place"] for name in ("first", "second")] == [1, 2]


@pytest.mark.parametrize("lang", list(locale.LANGUAGES))
def test_a_failed_run_says_why_in_both_languages(own: Path, lang: str) -> None:
    run = small_run(own / "diverged")
    error = TrainingDiverged(7, 123.456, 1.0)
    run.write_state(RunState("failed", 7, message=str(error), error={"code": error.code, "details": error.details}))
    message = news("diverged", lang=lang)[0]["message"]
    assert message == locale.t(lang, "error.training_diverged", **error.details)
    assert "{" not in message


@pytest.mark.parametrize("error", [None, {"code": "unheard_of"}, {"code": "training_diverged", "details": {}}, {}])
def test_a_failure_without_a_translation_is_told_as_it_was_written(own: Path, error: dict[str, Any] | None) -> None:
    small_run(own / "odd").write_state(RunState("failed", 1, message="OSError: odd", error=error))
    assert news("odd", lang="zh")[0]["message"] == "OSError: odd"


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e", "a%00b", "x" * 300])
def test_that_a_run_is_gone_is_news(done: Run, name: str) -> None:
    """Whoever watches a run that is deleted asks once more: a browser logs an answer of 404 as an error."""
    header, lines, frames = news(name)
    assert (header["state"], header["resumable"], header["checkpoints"]) == ("gone", False, [])
    assert (lines, frames) == (b"", b"")


def test_no_name_leads_out_of_the_folder(done: Run) -> None:
    assert refused("a%2fb").status == 404


@pytest.mark.parametrize("file", ["metrics.csv", "model.safetensors", "model.py", "tensorboard", "run.zip"])
def test_files_of_unknown_runs_are_not_found(done: Run, file: str) -> None:
    answer = get(APP, f"/attnviz/runs/gone/{file}", {"lang": "zh"})
    assert (answer.status, answer.json()["error"]) == (404, "run_not_found")
    assert answer.json()["message"] == locale.t("zh", "error.run_not_found", name="gone")


def test_a_deleted_run_says_so_in_the_language_that_was_asked_for(done: Run) -> None:
    assert news("gone", lang="zh")[0]["message"] == locale.t("zh", "error.run_not_found", name="gone")
    assert news("gone", lang="xx")[0]["message"] == locale.t("en", "error.run_not_found", name="gone")


def test_a_run_that_goes_while_it_is_read_is_gone(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(own / "going")

    def read(run: Run) -> RunState:
        shutil.rmtree(run.folder)
        raise RunCorrupt(run.name, "state.json", "it is missing")

    monkeypatch.setattr(Run, "state", read)
    assert news(run.name)[0]["state"] == "gone"


def test_a_damaged_run_says_so_until_it_is_mended(own: Path) -> None:
    run = small_run(own / "edited")
    good = (run.folder / "config.json").read_text("utf-8")
    (run.folder / "config.json").write_text("{}", "utf-8")
    os.utime(run.folder / "config.json", ns=(1, 1))
    assert (refused("edited").status, refused("edited").json()["error"]) == (409, "run_corrupt")
    (run.folder / "config.json").write_text(good, "utf-8")
    (run.folder / "state.json").write_text("[]", "utf-8")
    assert (refused("edited").status, refused("edited").json()["error"]) == (409, "run_corrupt")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("file", ["news", "run.zip"])
def test_nothing_but_reading(done: Run, method: str, file: str) -> None:
    assert get(APP, f"/attnviz/runs/learned/{file}", method=method).status == 405


def download(name: str, file: str, **query: str) -> bytes:
    answer = get(APP, f"/attnviz/runs/{name}/{file}", query)
    assert answer.status == 200, answer.content
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


def test_metrics_as_csv(done: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(download("learned", "metrics.csv").decode())))
    assert [float(row["loss"]) for row in rows] == [line.loss for line in done.metrics()]


@pytest.mark.parametrize("step", [None, 5])
def test_weights(done: Run, step: int | None) -> None:
    weights = load(download("learned", "model.safetensors", **({} if step is None else {"step": str(step)})))
    network = done.network(12 if step is None else step)
    name, parameter = next(iter(network.named_parameters()))
    assert torch.equal(weights[name], parameter)


@pytest.mark.parametrize("step", ["3", "x", "-1"])
def test_weights_of_a_step_that_was_not_kept(done: Run, step: str) -> None:
    assert get(APP, "/attnviz/runs/learned/model.safetensors", {"step": step}).status == 404


def test_the_script_is_python(done: Run) -> None:
    compile(download("learned", "model.py").decode(), "model.py", "exec")


def test_tensorboard_and_the_whole_folder_are_zips(done: Run) -> None:
    with zipfile.ZipFile(io.BytesIO(download("learned", "tensorboard"))) as archive:
        assert [name for name in archive.namelist() if "tfevents" in name]
    with zipfile.ZipFile(io.BytesIO(download("learned", "run.zip"))) as archive:
        assert archive.read("learned/metrics.jsonl") == done.metrics_path.read_bytes()


def test_names_of_any_language_can_be_downloaded(own: Path) -> None:
    record(small_run(own / "反转", steps=1))
    assert b"loss" in download("%E5%8F%8D%E8%BD%AC", "metrics.csv")


def test_routes_stand_below_the_base_path(done: Run) -> None:
    assert get(Starlette(routes=run_routes("/deep")), "/deep/attnviz/runs/learned/news").status == 200
