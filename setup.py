"""Builds a package that can serve the app: puts a copy of app.py, pages/ and .streamlit/ into attnviz/entrance."""

from glob import glob
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ENTRANCE = ("app.py", "pages/*.py", ".streamlit/config.toml")


class BuildWithEntrance(build_py):
    """The usual build, and the entrance; where the repository itself is installed, it is found in its own place."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for file in (file for pattern in ENTRANCE for file in sorted(glob(pattern))):
                target = Path(self.build_lib, "attnviz", "entrance", file)
                self.mkpath(str(target.parent))
                self.copy_file(file, str(target))


setup(cmdclass={"build_py": BuildWithEntrance})
