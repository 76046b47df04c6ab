from collections.abc import Callable
from pathlib import Path

import pytest

from attnviz.view import modules
from attnviz.view.modules import joined

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setattr(modules, "STATIC", tmp_path)

    def write(**files: str) -> None:
        for name, text in files.items():
            (tmp_path / f"{name}.js").write_text(text, "utf-8")

    return write


def test_a_module_comes_once_and_after_those_that_it_imports(write: Write) -> None:
    write(
        a='import { b, other as c } from "./b.js";\nimport { d } from "./d.js";\nexport const a = [b, c, d];\n',
        b='import { d } from "./d.js";\nexport const b = d + 1;\nexport function other() {}\n',
        d="export const d = 1;\n",
    )
    text = joined({"first": ("a.js", "a")})
    assert [line for line in text.splitlines() if line.startswith("// ")] == ["// d.js", "// b.js", "// a.js"]
    assert "const { b, other: c } = b_js;" in text
    assert "return { b, other };" in text
    assert text.endswith("export const first = a_js.a;\n")


@pytest.mark.parametrize(
    ("a", "message"),
    [
        ('import { a } from "./a.js";\n', "in a circle: a.js -> a.js"),
        ('import { b } from "./b.js";\n', "in a circle: a.js -> b.js -> a.js"),
        ("export default 1;\n", "cannot join 'export default 1;'"),
        ('import { a } from "elsewhere";\n', "cannot join 'import"),
        ('export { a } from "./b.js";\n', "cannot join 'export"),
    ],
)
def test_what_cannot_be_joined_is_refused(write: Write, a: str, message: str) -> None:
    write(a=a, b='import { a } from "./a.js";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match=message):
        joined({"a": ("a.js", "a")})
