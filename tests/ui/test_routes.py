import io
import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pytest
from starlette.applications import Starlette

from attnviz.server import forward
from attnviz.server.routes import routes
from attnviz.server.traces import Held, TraceKey
from attnviz.trace import Trace
from tests.ui.asgi import get

APP = Starlette(routes=routes())


@pytest.fixture
def held(operator_models: None) -> Held:
    return forward.run(TraceKey("tiny-both", "3rd of March 2021", "2021-03-03"))


def unpack(payload: bytes) -> dict[str, np.ndarray]:
    """The reader of the binary format, written a second time from its description."""
    assert payload[:4] == b"AVZ1"
    n = int.from_bytes(payload[4:8], "little")
    start = 8 + n + -(8 + n) % 8
    arrays = json.loads(payload[8 : 8 + n])["arrays"]
    return {
        path: np.frombuffer(payload, a["dtype"], int(np.prod(a["shape"])), start + a["offset"]).reshape(a["shape"])
        for path, a in arrays.items()
    }


def site_of(trace: Trace) -> str:
    return next(site.name for site in trace.sites if site.kind == "cross")


def test_bundle_holds_the_numbers_of_the_trace(held: Held) -> None:
    name = site_of(held.trace)
    answer = get(
        APP, f"/attnviz/trace/{held.id}/bundle", params={"site": name, "heads": "0,2", "stages": "q,weights,x"}
    )
    assert answer.status == 200
    arrays = unpack(answer.content)
    site = held.trace.site(name)
    assert set(arrays) == {f"{name}/{h}/{s}" for h in (0, 2) for s in ("q", "weights")} | {f"{name}/x", f"{name}/x_kv"}
    np.testing.assert_array_equal(arrays[f"{name}/2/weights"], site.weights(2).numpy())
    np.testing.assert_array_equal(arrays[f"{name}/0/q"], site.q[0].numpy())
    assert arrays[f"{name}/x"].shape == (11, 48)
    assert arrays[f"{name}/x_kv"].shape == (17, 48)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"site": "nowhere"}, "site"),
        ({"site": ""}, "site"),
        ({"heads": "9"}, "heads"),
        ({"heads": "-1"}, "heads"),
        ({"heads": ""}, "heads"),
        ({"heads": "0,x"}, "heads"),
        ({"heads": "٣"}, "heads"),
        ({"stages": "weights,secrets"}, "stages"),
        ({"stages": ""}, "stages"),
    ],
)
def test_what_the_trace_does_not_have_is_refused(held: Held, changed: dict[str, str], error: str) -> None:
    params = {"site": site_of(held.trace), "heads": "0", "stages": "weights"} | changed
    answer = get(APP, f"/attnviz/trace/{held.id}/bundle", params=params)
    assert (answer.status, answer.json()) == (400, {"error": error})


def test_the_view_is_saved_as_one_page(held: Held) -> None:
    site = site_of(held.trace)
    answer = get(APP, f"/attnviz/trace/{held.id}/page.html", params={"site": site, "head": "1", "lang": "zh"})
    assert answer.status == 200
    assert 'filename="attnviz.html"' in answer.headers["content-disposition"]
    page = answer.content.decode()
    assert page.startswith("<!doctype html>")
    assert f'data-part="{site}/1"' in page
    for changed in ({"site": "nowhere"}, {"head": "9"}, {"head": "x"}, {"lang": "xx"}):
        refused = get(APP, f"/attnviz/trace/{held.id}/page.html", params={"site": site, "head": "0", **changed})
        assert refused.status == 400, changed


def test_a_saved_page_says_what_is_right(operator_models: None) -> None:
    trace = forward.run(TraceKey("reverse", "a b c"))
    params = {"site": trace.trace.sites[0].name, "head": "0"}
    page = get(APP, f"/attnviz/trace/{trace.id}/page.html", params=params).content.decode()
    part = re.search(r'data-part="overview" data-planes="1">([^<]+)', page)
    assert part is not None
    assert b'"truth": ["c", "b", "a", null]' in zlib.decompress(b64decode(part[1]), -15)


def test_a_link_becomes_a_qr_code_if_it_is_short_enough() -> None:
    answer = get(APP, "/attnviz/qr", params={"text": "http://localhost:8501/?text=中文"})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert b"<svg" in answer.content
    assert get(APP, "/attnviz/qr", params={"text": "x" * 1201}).status == 413
    assert get(APP, "/attnviz/qr").status == 400


@pytest.mark.parametrize("path", ["bundle", "proof", "trace.npz", "page.html"])
def test_unknown_ids_are_gone(path: str) -> None:
    answer = get(APP, f"/attnviz/trace/{'0' * 32}/{path}")
    assert (answer.status, answer.json()) == (404, {"error": "gone"})


def test_answers_over_the_limit_are_refused(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnviz.server.routes.MAX_BUNDLE", 100)
    params = {"site": site_of(held.trace), "heads": "0", "stages": "weights"}
    assert get(APP, f"/attnviz/trace/{held.id}/bundle", params=params).status == 413


def test_proof_is_that_of_the_trace(held: Held) -> None:
    answer = get(APP, f"/attnviz/trace/{held.id}/proof").json()
    assert [site["name"] for site in answer["sites"]] == [site.name for site in held.trace.sites]
    assert answer["max_abs_error"] == max(site["max_abs_error"] for site in answer["sites"])
    assert answer["max_abs_error"] < 1e-5


def test_npz_can_be_read(held: Held) -> None:
    answer = get(APP, f"/attnviz/trace/{held.id}/trace.npz")
    assert "attachment" in answer.headers["content-disposition"]
    name = site_of(held.trace)
    with np.load(io.BytesIO(answer.content)) as arrays:
        np.testing.assert_array_equal(arrays[f"{name}/weights"][1], held.trace.site(name).weights(1).numpy())


def test_routes_stand_below_the_base_path(held: Held) -> None:
    app = Starlette(routes=routes("/deep/"))
    assert get(app, "/deep/attnviz/view/modules.js").status == 200
    assert get(app, f"/deep/attnviz/trace/{held.id}/proof").status == 200


def test_distances_are_of_the_heads_of_two_traces(held: Held) -> None:
    name = held.trace.sites[0].name
    same = get(APP, f"/attnviz/trace/{held.id}/distances", params={"beside": held.id})
    assert {site: bits.shape for site, bits in unpack(same.content).items()} == {
        site.name: (site.n_heads, site.q.shape[1]) for site in held.trace.sites
    }
    assert max(bits.max() for bits in unpack(same.content).values()) == 0
    pinned = get(APP, f"/attnviz/trace/{held.id}/distances", params={"beside": held.id, "pin": "0.1"})
    assert unpack(pinned.content)[name][1].max() == 0
    assert unpack(pinned.content)[name][0].max() > 0


@pytest.mark.parametrize("pin", ["0", "0.99", "99.0", "-1.0", "a.b", "0.0.0"])
def test_no_distances_from_a_head_that_is_not_there(held: Held, pin: str) -> None:
    answer = get(APP, f"/attnviz/trace/{held.id}/distances", params={"beside": held.id, "pin": pin})
    assert (answer.status, json.loads(answer.content)) == (400, {"error": "pin"})


def test_no_distances_from_a_trace_that_is_gone(held: Held) -> None:
    assert get(APP, f"/attnviz/trace/{held.id}/distances", params={"beside": "0" * 32}).status == 404
