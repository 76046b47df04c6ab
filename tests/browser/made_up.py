"""Traces as real models make them, from random numbers, and a small server that gives them to the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from torch import Tensor

from attnviz.attention import Mask
from attnviz.models.facts import ModelFacts
from attnviz.server.picture import DATA_PATH
from attnviz.server.routes import routes
from attnviz.server.stores import TRACES
from attnviz.server.traces import TraceKey
from attnviz.trace import AttentionSite, Grid, LayerInputs, Outputs, ProofEntry, Tokens, Trace
from attnviz.view.payload import overview
from attnviz.view.texts import address

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }} body {{ margin: 12px; }}</style><div id="view"></div><script type="module">
import {{ explorer }} from "/attnviz/view/modules.js";
const data = new Uint8Array(await (await fetch("/payload/{name}?lang={lang}")).arrayBuffer());
explorer({{ data, parentElement: document.getElementById("view") }});
</script></html>"""


@dataclass(frozen=True)
class Model:
    facts: ModelFacts


@dataclass(frozen=True)
class Pass:
    """A forward pass that was not one: random logits, and inputs where a model would tell them."""

    rows: int = 0
    n_outputs: int = 0
    shows: Mapping[str, LayerInputs] | None = None
    nbytes: int = 0

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        yield torch.randn(self.rows, self.n_outputs, generator=torch.Generator().manual_seed(3)) * 2

    def inputs(self) -> Mapping[str, LayerInputs]:
        return self.shows or {}

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        return [ProofEntry(site.name, 2e-7, 3e-7) for site in sites]


def make_site(
    name: str, n_queries: int, n_keys: int, heads: int = 4, groups: int | None = None, width: int = 8, **rest: Any
) -> AttentionSite:
    stack, layer, kind = name.split(".")[:3]
    random = torch.Generator().manual_seed(sum(map(ord, name)))
    kv = groups or heads
    value = rest.pop("d_value", width)
    d_model = rest.pop("d_model", heads * value)
    given = {
        "queries": stack,
        "keys": "encoder" if kind == "cross" else stack,
        "scale": width**-0.5,
        "w_o": None if d_model is None else torch.randn(heads * value, d_model, generator=random),
        **rest,
    }
    return AttentionSite(
        name=name,
        layer=int(layer),
        stack=stack,
        kind=kind,
        scoring="scaled_dot",
        q=torch.randn(heads, n_queries, width, generator=random) * 1.5,
        k=torch.randn(kv, n_keys, width, generator=random) * 1.5,
        v=torch.randn(kv, n_keys, value, generator=random),
        **given,
    )


def make_trace(
    sequences: Mapping[str, Tokens],
    sites: Sequence[AttentionSite],
    outputs: Outputs | None = None,
    n_outputs: int = 40,
    inputs: bool = True,
    architecture: str = "decoder",
    image: np.ndarray | None = None,
) -> Trace:
    def x(site: AttentionSite) -> LayerInputs:
        return LayerInputs(torch.randn(site.q.shape[1], 24), torch.randn(site.k.shape[1], 20))

    rows = 0 if outputs is None else 1 if outputs.kind == "label" else len(sequences[outputs.sequence])
    shown = {site.name: x(site) for site in sites} if inputs else {}
    return Trace(
        model=Model(ModelFacts("hf:made-up", "Made up", "", architecture, 1, 512, kind="MadeUpModel")),
        text="",
        target=None,
        target_generated=False,
        sequences=sequences,
        main=list(sequences)[-1],
        sites=tuple(sites),
        outputs=outputs,
        forward_pass=Pass(rows, n_outputs, shown),
        image=image,
    )


SENTENCES = ("[CLS]", "my", "dog", "is", "un", "##believ", "##able", "[SEP]", "he", "likes", "play", "##ing", "[SEP]")
WORDS = (None, 0, 1, 2, 3, 3, 3, None, 4, 5, 6, 6, None)
PARTS = (None, 0, 0, 0, 0, 0, 0, None, 1, 1, 1, 1, None)


def two_sentences() -> Trace:
    """As BERT reads two sentences; "likes" is hidden."""
    labels = (*SENTENCES[:9], "[MASK]", *SENTENCES[10:])
    tokens = Tokens(tuple(range(13)), labels, (0, 7, 12), WORDS, PARTS)
    sites = [make_site(f"encoder.{layer}.self", 13, 13) for layer in range(3)]
    outputs = Outputs("masked", "encoder", lambda index: f"word{index}", (9,))
    return make_trace({"encoder": tokens}, sites, outputs, architecture="encoder")


def three_stacks() -> Trace:
    """As T5: scores are not scaled and get a bias; many layers; the last decoder layer does not tell its input."""
    source = ("translate", "▁to".replace("▁", " "), " Ger", "man", ":", " That", " is", " good", ".", "</s>")
    target = ("<pad>", " Das", " ist", " gut", ".")
    sequences = {
        "encoder": Tokens(tuple(range(10)), source, (9,), (0, 1, 2, 2, 3, 4, 5, 6, 7, None)),
        "decoder": Tokens(tuple(range(5)), target, (0,), (None, 0, 1, 2, 3)),
    }

    def bias(n_queries: int, n_keys: int) -> Tensor:
        return torch.randn(6, n_queries, n_keys, generator=torch.Generator().manual_seed(1))

    sites = [make_site(f"encoder.{n}.self", 10, 10, 6, scale=1.0, bias=bias(10, 10)) for n in range(6)]
    for n in range(6):
        sites.append(make_site(f"decoder.{n}.self", 5, 5, 6, scale=1.0, bias=bias(5, 5), mask=Mask(causal=True)))
        sites.append(make_site(f"decoder.{n}.cross", 5, 10, 6, scale=1.0))
    outputs = Outputs("next", "decoder", lambda index: f"piece{index}")
    return make_trace(sequences, sites, outputs, architecture="encoder-decoder")


def sinks() -> Trace:
    """Grouped keys, a window, a cap, sinks, two rows of padding in front; no W_O and no inputs are told."""
    labels = ("<pad>", "<pad>", "<s>", *"a cat sat")
    n = len(labels)
    tokens = Tokens(tuple(range(n)), labels, (0, 1, 2))
    padding = torch.tensor([False, False] + [True] * (n - 2))
    pairs = torch.ones(n, n, dtype=torch.bool)
    pairs[6, 4] = False
    site = make_site(
        "decoder.0.self",
        n,
        n,
        heads=6,
        groups=2,
        d_value=5,
        d_model=None,
        scale=0.5,
        softcap=3.0,
        sinks=torch.linspace(-1, 1, 6),
        mask=Mask(causal=True, window=4, keys=padding, pairs=pairs),
        rotary=True,
    )
    return make_trace({"decoder": tokens}, [site], inputs=False)


def picture() -> Trace:
    """As ViT: [CLS] and 14 x 14 patches, and the image."""
    side, size = 14, 224
    labels = ("[CLS]", *(f"{row},{column}" for row in range(side) for column in range(side)))
    tokens = Tokens((), labels, (0,), grid=Grid(side, side, 1))
    y, x = np.mgrid[0:size, 0:size] / size
    disc = ((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.08).astype(float)
    image = np.stack([0.3 + 0.6 * disc, 0.5 * y + 0.2 * disc, 0.9 - 0.7 * x], axis=-1)
    sites = [make_site(f"encoder.{n}.self", 197, 197, 3) for n in range(4)]
    outputs = Outputs("label", "encoder", ("cat", "dog", "sun", "boat").__getitem__)
    seen = (255 * image).clip(0, 255).astype(np.uint8)
    return make_trace({"encoder": tokens}, sites, outputs, 4, architecture="encoder", image=seen)


def two_encoders() -> Trace:
    """As CLIP: a text, an image, and no outputs."""
    sequences = {
        "text": Tokens(tuple(range(5)), ("<start>", "a", " photo", " graph", "<end>"), (0, 4), (None, 0, 1, 1, None)),
        "vision": Tokens((), ("[CLS]", *(f"{n // 4},{n % 4}" for n in range(16))), (0,), grid=Grid(4, 4, 1)),
    }
    sites = [make_site(f"text.{n}.self", 5, 5, mask=Mask(causal=True)) for n in range(7)]
    sites += [make_site(f"vision.{n}.self", 17, 17) for n in range(7)]
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return make_trace(sequences, sites, architecture="two encoders", image=image)


def windows() -> Trace:
    """As Swin: each layer attends in the windows of an image apart."""
    sites, sequences = [], {}
    for layer, side in enumerate((4, 4, 2, 2)):  # windows across, of 3 x 3 patches
        for part in range(side * side):
            name = f"encoder.{layer}.self.w{part}"
            cells = tuple((part // side * 3 + n // 3, part % side * 3 + n % 3) for n in range(9))
            labels = tuple(f"{row},{column}" for row, column in cells)
            sequences[name] = Tokens((), labels, grid=Grid(3 * side, 3 * side, cells=cells))
            sites.append(make_site(name, 9, 9, 3, queries=name, keys=name, part=part))
    image = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    return make_trace(sequences, sites, architecture="encoder", image=image)


def many_heads() -> Trace:
    tokens = Tokens(tuple(range(6)), tuple("abcdef"))
    sites = [make_site(f"decoder.{n}.self", 6, 6, 64, 8, 4, mask=Mask(causal=True)) for n in range(36)]
    return make_trace({"decoder": tokens}, sites)


def long_text() -> Trace:
    n = 2048
    labels = tuple(f" w{i}" if i % 3 else f"piece{i}" for i in range(n))
    tokens = Tokens(tuple(range(n)), labels, (0,), (None, *((i + 1) // 2 for i in range(n - 1))))
    sites = [make_site(f"decoder.{k}.self", n, n, 4, 2, 16, mask=Mask(causal=True)) for k in range(2)]
    return make_trace({"decoder": tokens}, sites, Outputs("next", "decoder", str))


def token_labels() -> Trace:
    tokens = Tokens(tuple(range(4)), ("[CLS]", "Ada", "Paris", "[SEP]"), (0, 3))
    sites = [make_site("encoder.0.self", 4, 4)]
    return make_trace({"encoder": tokens}, sites, Outputs("labels", "encoder", ("O", "PER", "LOC").__getitem__), 3)


MADE: dict[str, Callable[[], Trace]] = {
    make.__name__: make
    for make in (
        two_sentences,
        three_stacks,
        sinks,
        picture,
        two_encoders,
        windows,
        many_heads,
        long_text,
        token_labels,
    )
}


def payload(request: Request) -> Response:
    name, lang = request.path_params["name"], request.query_params["lang"]
    held = TRACES.obtain(TraceKey("test_real_view", name), MADE[name])
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    data = overview(
        held.trace, trace_id=held.id, data_url=f"{DATA_PATH}/{held.id}", choice=choice, texts=address(lang), lang=lang
    )
    return Response(data, media_type="application/octet-stream")


def page(request: Request) -> Response:
    return HTMLResponse(
        PAGE.format(name=request.path_params["name"], lang=request.query_params.get("lang", "en")), headers={}
    )


def make_app() -> Starlette:
    return Starlette(routes=[*routes(), Route("/payload/{name}", payload), Route("/{name}", page)])
