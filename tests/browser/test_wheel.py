"""A wheel holds all that the app needs: installed elsewhere, it serves the first picture from any folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

import attnviz
from attnviz import locale
from attnviz.ui import PAGES
from tests.browser.conftest import PATIENCE, addresses, link_to, tabs, view, wait_for

ROOT = Path(__file__).parents[2]
SOURCES = ("attnviz", "pages", ".streamlit", "app.py", "setup.py", "pyproject.toml", "requirements.txt", "README.md")
ENTRANCE = ("app.py", "pages", ".streamlit")
NO_SOURCE = ("__pycache__", "*.pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `python -m build` does it: the source archive, and from that the wheel."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in (*SOURCES, "MANIFEST.in"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns(*NO_SOURCE))
        else:
            shutil.copy(ROOT / name, source / name)
    _python("-m", "build", "--no-isolation", "--outdir", str(built), str(source))
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel and what it depends on, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("environment")
    _python("-m", "venv", "--without-pip", str(folder))
    executable = folder / "bin" / "python"
    (site_packages,) = folder.glob("lib/python*/site-packages")
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site_packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n", "utf-8")
    _python("-m", "pip", "--python", str(executable), "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    return folder / "bin"


def _python(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)) for path in found}


def test_the_wheel_holds_every_file_of_the_package_and_the_entrance(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    entrance = {f"{name}/{file}" for name in ENTRANCE if (ROOT / name).is_dir() for file in _files(ROOT / name)}
    entrance |= {name for name in ENTRANCE if (ROOT / name).is_file()}
    wanted = {f"attnviz/{file}" for file in _files(ROOT / "attnviz")}
    assert held == wanted | {f"attnviz/entrance/{file}" for file in entrance}


def test_the_wheel_has_the_version_of_the_package(wheel: Path) -> None:
    assert wheel.name.startswith(f"attnviz-{attnviz.__version__}-")


def test_the_wheel_serves_the_first_picture(installed: Path, window: BrowserContext, tmp_path: Path) -> None:
    with _served(installed / "attnviz", tmp_path) as address, tabs(window, addresses(address)) as new_tab:
        page = new_tab()
        page.goto(f"{address}/?model=zoo/reverse")
        view(page)
        assert page.locator("[data-testid=stMainMenu]").count() == 0  # toolbarMode, of the settings
        for name in list(PAGES)[1:]:
            link_to(page, name).click()
            page.wait_for_url(f"{address}/{name}**")
            page.locator(".st-key-head-row").wait_for()
            title = locale.t("en", "page.title", page=locale.t("en", f"page.{name}"))
            expect(page).to_have_title(title)
    assert {path.name for path in tmp_path.iterdir()} <= {"log", "runs"}


@contextmanager
def _served(command: Path, folder: Path) -> Iterator[str]:
    """`attnviz run` in a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATTNVIZ_", "PYTHON"))}
    environment = {**kept, "STREAMLIT_SERVER_HEADLESS": "true"}
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [command, "run", "--port", str(port)], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://localhost:{port}"
            wait_for(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(PATIENCE / 1000)
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")
