"""The stores behind the pages: open models, and images."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from PIL import Image

from attnviz.errors import ImageGone, ImageUnreadable
from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network
from attnviz.server.images import MAX_MB, ImageStore
from attnviz.server.open_models import MEMORY, ModelKey, ModelStore, nbytes, parameter_memory
from attnviz.server.samples import SAMPLES
from tests.tiny import LETTERS

ROOT = Path(__file__).parents[2]


def model(d_model: int = 48) -> SequenceModel:
    config = ModelConfig("encoder", LETTERS.vocab_size, 16, n_layers=1, n_heads=2, d_model=d_model)
    return SequenceModel(build_network(config, seed=0), LETTERS, ModelCard("tiny", "Tiny"))


def store(max_bytes: int = 10**9) -> tuple[ModelStore, list[ModelKey]]:
    dropped: list[ModelKey] = []
    return ModelStore(max_bytes, dropped.append), dropped


def test_a_model_is_opened_once() -> None:
    models, _ = store()
    first = models.obtain(ModelKey("a"), model)
    assert models.obtain(ModelKey("a"), lambda: pytest.fail("opened twice")) is first
    assert models.obtain(ModelKey("a", 1), model) is not first
    assert models.get(ModelKey("b")) is None
    assert len(models) == 2


def test_two_threads_open_it_once() -> None:
    models, _ = store()
    waiting, opened = threading.Event(), []

    def slowly() -> SequenceModel:
        opened.append(1)
        waiting.wait(300)
        return model()

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(models.obtain, ModelKey("a"), slowly) for _ in range(2)]
        while not opened:
            pass
        waiting.set()
        assert both[0].result() is both[1].result()
    assert opened == [1]


def test_bytes_are_bounded_the_least_used_goes_and_is_told() -> None:
    one = nbytes(model().network)
    models, dropped = store(2 * one)
    for name in ("a", "b"):
        models.obtain(ModelKey(name), model)
    models.get(ModelKey("a"))
    models.obtain(ModelKey("c"), model)
    assert dropped == [ModelKey("b")]
    assert models.keys() == [ModelKey("a"), ModelKey("c")]
    assert models.nbytes == 2 * one


def test_the_newest_stays_whatever_its_size() -> None:
    models, dropped = store(1)
    models.obtain(ModelKey("a"), model)
    models.obtain(ModelKey("b"), model)
    assert dropped == [ModelKey("a")]
    assert ModelKey("b") in models


def test_an_error_passes_through_and_the_next_try_opens() -> None:
    models, _ = store()

    def fails() -> SequenceModel:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        models.obtain(ModelKey("a"), fails)
    assert models.obtain(ModelKey("a"), model) is models.get(ModelKey("a"))


def test_a_model_is_dropped_by_name() -> None:
    models, dropped = store()
    models.obtain(ModelKey("a"), model)
    models.drop(ModelKey("a"))
    assert ModelKey("a") not in models
    assert dropped == [ModelKey("a")]


def test_shared_weights_count_once() -> None:
    layer = torch.nn.Linear(10, 10, bias=False)
    assert nbytes(torch.nn.Sequential(layer, layer)) == 400


def test_the_operator_sets_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MEMORY, raising=False)
    assert parameter_memory() == 4096 * 2**20
    monkeypatch.setenv(MEMORY, "100")
    assert parameter_memory() == 100 * 2**20


def png(color: str, side: int = 8, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), color).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_images_that_were_handed_in_are_found_by_what_they_are(kind: str) -> None:
    images = ImageStore()
    name = images.put(png("red", kind=kind))
    assert images.put(png("red", kind=kind)) == name
    assert name in images
    assert images.get(name).size == (8, 8)


@pytest.mark.parametrize(
    "content", [b"", b"no image", b"<svg/>", png("red", kind="GIF"), png("red")[:-40], b"x" * (MAX_MB * 2**20 + 1)]
)
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        ImageStore().put(content)


def test_images_are_bounded_in_bytes() -> None:
    images = ImageStore(max_bytes=len(png("red")) + 10)
    red, blue = images.put(png("red")), images.put(png("blue"))
    assert blue in images
    with pytest.raises(ImageGone):
        images.get(red)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_drawn(name: str) -> None:
    image = ImageStore().get(name)
    assert image.size == (384, 384)
    assert len(image.getcolors(10**6) or ()) > 3
