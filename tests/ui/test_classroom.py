"""The teacher's page as the server builds it: the end of a class, and what is hidden from students."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attnviz import library, locale
from attnviz.errors import AttnvizError, SwitchedOff, TooManyRuns, TooManySteps, TooMuchMemory
from attnviz.server.people import register
from attnviz.server.people.classes import CONTROLS, Classroom, Rules
from attnviz.server.people.identity import COOKIE, hashed
from attnviz.server.people.rights import check_start, person_of
from attnviz.training import RunState, all_runs
from attnviz.training.recipes import OWN
from attnviz.training.run.folder import Run
from attnviz.training.run.process import ProcessId
from attnviz.ui.classroom import page as classroom
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame import who
from tests.classes import hold_class
from tests.finetuning.conftest import rows, table
from tests.huggingface.tokenizers import word_piece
from tests.training.runs import small_config
from tests.ui.pages import Queue, click, messages, open_page, run, state_of
from tests.ui.real import BUILD, WORDS

TEACHER, ANN = "t" * 43, "a" * 43


@pytest.fixture(autouse=True)
def queue(queue: Queue, runs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """A class with a teacher and Ann, who has a run that waits and one that is done; a run is of the command line."""
    links = hold_class(monkeypatch, tmp_path)
    register.join(links.teacher, hashed(TEACHER))
    register.join(links.student, hashed(ANN))
    Run.create(tmp_path / "done", small_config(), hashed(ANN)).write_state(RunState("done", 12))
    queue.submit(Run.create(tmp_path / "waits", small_config(), hashed(ANN)))
    Run.create(tmp_path / "free", small_config())
    sit(monkeypatch, TEACHER)
    return queue


def sit(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Have the sessions of this test be of the browser with a token."""
    monkeypatch.setattr(who, "person_of", lambda cookies: person_of({COOKIE: token}))


def room() -> Classroom:
    found = register.held()
    assert found is not None
    return found


def runs(tmp_path: Path) -> set[str]:
    return {run.name for run in all_runs(tmp_path)}


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_everything_is_deleted_when_it_was_asked_twice(tmp_path: Path, lang: str) -> None:
    page = open_page("class", lang=lang)
    click(page, "class-delete")
    assert locale.t(lang, "class.delete.ask") in [said.value for said in page.markdown]
    assert runs(tmp_path) == {"done", "waits", "free"}
    click(page, "class-delete-now")
    assert runs(tmp_path) == {"free"}, "those of members, and no other"
    assert (room().members, room().is_over) == ({}, True)
    assert locale.t(lang, "class.deleted", n="`2`") in messages(page)
    assert locale.t(lang, "class.none") in messages(page), "nobody is its teacher any more"


def test_a_run_that_does_not_stop_keeps_the_class(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "PATIENCE", 0.0)
    monkeypatch.setattr(queue, "withdraw", lambda run: False)
    page = open_page("class")
    click(click(page, "class-delete"), "class-delete-now")
    assert runs(tmp_path) == {"waits", "free"}
    assert "`waits`" in messages(page)
    assert hashed(ANN) in room().members
    Run.open(tmp_path / "waits").write_state(RunState("running", 3, ProcessId.current()))
    click(click(page, "class-delete"), "class-keep")
    assert runs(tmp_path) == {"waits", "free"}


def test_the_class_is_closed_and_its_runs_stay(tmp_path: Path) -> None:
    page = open_page("class")
    click(click(page, "class-close"), "class-close-now")
    assert room().is_over
    assert runs(tmp_path) == {"done", "waits", "free"}
    assert locale.t("en", "class.over") in messages(page)
    assert "class-close" not in [button.key for button in page.button]
    assert "class-delete" in [button.key for button in page.button]


def test_a_class_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    over = room().expires
    monkeypatch.setattr("attnviz.server.people.classes.time.time", lambda: over)
    assert locale.t("en", "class.over") in messages(open_page("class"))
    assert person_of({COOKIE: ANN}).role == ""


def test_a_student_has_no_such_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("class")
    click(page, "class-delete")
    sit(monkeypatch, ANN)
    click(page, "class-delete-now")  # a browser may send what it likes
    assert runs(tmp_path) == {"done", "waits", "free"}
    assert locale.t("en", "class.none") in messages(page)


def test_what_is_hidden_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    register.set_rules(room(), Rules(controls=CONTROLS))
    sit(monkeypatch, ANN)
    page = open_page("explorer", model="reverse", text="c b a", mode="compare", edits="-0.0")
    assert state_of(page, ExplorerState).chips == ()
    assert "mode" not in [each.key for each in page.get("button_group")]
    page = open_page("training", recipe=next(iter(OWN)))
    assert page.selectbox[0].value not in OWN
    assert page.button(key="play").disabled
    register.set_rules(room(), Rules(controls=("own",)))
    with pytest.raises(SwitchedOff):
        check_start(person_of({COOKIE: ANN}), [replace(small_config(), recipe=next(iter(OWN)))])


def test_what_a_student_may_not_start_is_said_before_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "models" / "tiny-bert"
    BUILD["BERT"]().save_pretrained(base)
    word_piece(WORDS).save_pretrained(base)
    monkeypatch.setenv(library.MODELS_FOLDER, str(base.parent))
    sit(monkeypatch, ANN)
    forms: dict[str, dict[str, str]] = {
        "play": {"recipe": "fine-tune", "base": "tiny-bert", "tune": "steps:5,batch:4", "text": table(rows())},
        "sweep-play": {"recipe": "copy", "steps": "400"},
    }
    refusals: list[tuple[Rules, type[AttnvizError] | None]] = [
        (Rules(runs=2), TooManyRuns),
        (Rules(steps=4), TooManySteps),
        (Rules(megabytes=1), TooMuchMemory),
        (Rules(), None),
    ]
    for lang, (play, link) in zip(locale.LANGUAGES, forms.items(), strict=True):
        for rules, kind in refusals:
            register.set_rules(room(), rules)
            page = open_page("training", lang=lang, **link)
            if play == "sweep-play":
                page.selectbox(key="sweep-setting-0").set_value("lr")
                page = run(page)
            assert page.button(key=play).disabled == (kind is not None), messages(page)
            if kind is not None:
                ending = locale.catalogue(lang)[f"error.{kind.code}"].rsplit("}", 1)[1]
                assert ending in messages(page), rules
