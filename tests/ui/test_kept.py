import gzip

import pytest
from starlette.applications import Starlette

from attnviz.server.kept import kept_routes
from attnviz.view import modules, texts
from tests.ui.asgi import get

APP = Starlette(routes=kept_routes("/deep"))


@pytest.mark.parametrize("encoding", ["gzip, br", "identity"])
@pytest.mark.parametrize(
    ("address", "content"),
    [
        (modules.address(), modules.served()),
        (texts.address("en"), texts.written("en")),
        (texts.address("zh"), texts.written("zh")),
    ],
    ids=["views", "en", "zh"],
)
def test_views_and_texts_are_kept_for_good(address: str, content: bytes, encoding: str) -> None:
    path, _, query = address.partition("?")
    assert query.startswith("v=")
    answer = get(APP, f"/deep/{path}", headers={"Accept-Encoding": encoding})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    packed = answer.headers["content-encoding"] == "gzip"
    assert packed == ("gzip" in encoding)
    assert (gzip.decompress(answer.content) if packed else answer.content) == content


def test_a_language_without_texts_is_not_found() -> None:
    assert get(APP, "/deep/attnviz/view/texts/xx").status == 404


def test_the_charts_library_is_kept_for_good() -> None:
    plain = get(APP, "/deep/attnviz/plotly.js")
    assert b"plotly.js" in plain.content[:200]
    packed = get(APP, "/deep/attnviz/plotly.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert "immutable" in packed.headers["cache-control"]
