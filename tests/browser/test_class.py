"""A class in three browsers: the teacher, a student who reads English and one who reads Chinese."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from attnviz import locale
from tests.browser.conftest import PATIENCE, ROOT, addresses, expect_no_overflow, tabs, wait_for


@pytest.fixture
def links(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Address of a server that holds a class, and both links as the command prints them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    command = [sys.executable, "-m", "attnviz", "run", "--port", str(port), "--class", "7b"]
    environment = {**os.environ, "ATTNVIZ_RUNS": str(tmp_path / "runs"), "STREAMLIT_SERVER_HEADLESS": "true"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://localhost:{port}", process, log)
            teacher, student = re.findall(r"http://\S+/join#\S+", log.read_text("utf-8"))
            yield f"http://localhost:{port}", teacher, student
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")


def said(page: Page, lang: str, key: str, **values: object) -> None:
    """Expect a text of the line that members have on every page."""
    expect(page.locator(".attnviz-class")).to_contain_text(locale.t(lang, key, **values))


def test_a_class_is_held(browser: Browser, links: tuple[str, str, str]) -> None:
    server, teachers, students = links
    windows = [browser.new_context(locale=lang) for lang in ("en-US", "en-US", "zh-CN")]
    own = addresses(server)
    late = "/attnviz/class/wall"  # the wall may look once more while the class is deleted
    with tabs(windows[0], own, late) as new0, tabs(windows[1], own) as new1, tabs(windows[2], own) as new2:
        teacher, ann, ben = new0(), new1(), new2(390, 844, "dark")
        teacher.goto(teachers)
        teacher.wait_for_url(f"{server}/class**")
        assert "#" not in teacher.url
        expect(teacher.get_by_role("heading", name="Class 7b")).to_be_visible()
        for page, lang, number in ((ann, "en", 2), (ben, "zh", 3)):
            page.goto(students)
            page.wait_for_url(f"{server}/")
            name = locale.t(lang, "class.student", n=number)
            said(page, lang, "class.bar.student", name="7b", student=name)

        # Ann trains; the teacher sees it and pauses it, and both students read that
        ann.goto(f"{server}/training?recipe=induction&steps=20000")
        ann.locator(".st-key-play button").click()
        expect(ann.locator(".aw-transport")).to_have_attribute("data-state", "running")
        card = teacher.locator(".wall a")
        expect(card).to_contain_text(locale.t("en", "class.student", n=2))
        teacher.get_by_role("button", name=locale.t("en", "class.pause")).click()
        paused = locale.t("en", "watch.by.teacher", state=locale.t("en", "watch.state.paused"))
        expect(ann.locator(".aw-state")).to_have_text(paused)

        # Ben looks at it and has nothing to steer it with
        ben.goto(f"{server}/runs")
        paused = locale.t("zh", "watch.by.teacher", state=locale.t("zh", "watch.state.paused"))
        expect(ben.locator(".aw-state")).to_have_text(paused)
        expect(ben.locator(".aw-buttons")).to_have_count(0)
        expect(ben.get_by_text(locale.t("zh", "runs.not_yours"))).to_be_visible()
        expect_no_overflow(ben)

        # the teacher opens a page for all, and lets them go
        teacher.goto(f"{server}/cost")
        teacher.get_by_role("button", name=locale.t("en", "class.bar.open")).click()
        for page, lang in ((ann, "en"), (ben, "zh")):
            page.wait_for_url(f"{server}/cost**")
            said(page, lang, "class.bar.follows")
        teacher.get_by_role("button", name=locale.t("en", "class.bar.release")).click()
        said(ann, "en", "class.bar.student", name="7b", student=locale.t("en", "class.student", n=2))

        # a nickname, made up, which the teacher sees
        ann.get_by_role("button", name=locale.t("en", "class.bar.nickname")).click()
        ann.keyboard.type("Blue heron")
        ann.keyboard.press("Enter")
        teacher.goto(f"{server}/class")
        expect(card).to_contain_text("Blue heron")
        teacher.set_viewport_size({"width": 390, "height": 844})
        expect_no_overflow(teacher)

        # what was done is taken away; the class is closed, and all of it deleted
        teacher.get_by_role("button", name=locale.t("en", "class.export")).click()
        for form, has in (("csv", "Blue heron"), ("xapi", "launched")):
            link = teacher.get_by_role("link", name=locale.t("en", f"class.export.{form}"))
            answer = teacher.request.get(f"{server}/{link.get_attribute('href')}")
            assert has in answer.text()
        teacher.keyboard.press("Escape")
        teacher.locator(".st-key-class-close button").click()
        teacher.locator(".st-key-class-close-now button").click()
        expect(teacher.get_by_text(locale.t("en", "class.over"))).to_be_visible()
        teacher.locator(".st-key-class-delete button").click()
        teacher.locator(".st-key-class-delete-now button").click()
        expect(teacher.get_by_text(locale.t("en", "class.deleted", n="1"))).to_be_visible()
        expect(teacher.get_by_text(locale.t("en", "class.none"))).to_be_visible()
    for window in windows:
        window.close()
