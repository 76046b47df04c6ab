"""The attention timeline: any snapshot comes back, a cut file loses its last one only, and it tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from attnviz.errors import RunCorrupt
from attnviz.models.network import build_network
from attnviz.tasks import Stories
from attnviz.trace import trace
from attnviz.training import RECIPES, Timeline, record
from attnviz.training.run.probe import attention_weights, probe_sequences
from attnviz.training.run.timeline import TimelineWriter
from tests.training.runs import TASK, small_run


def random_snapshots(n: int) -> list[list[dict[str, torch.Tensor]]]:
    generator = torch.Generator().manual_seed(0)
    shapes = [{"encoder.0.self": (2, 3, 5), "decoder.0.cross": (3, 7, 2)}, {"encoder.0.self": (2, 1, 1)}]
    return [[{k: torch.rand(v, generator=generator) for k, v in s.items()} for s in shapes] for _ in range(n)]


def test_any_snapshot_is_read_back(tmp_path: Path) -> None:
    path, snapshots = tmp_path / "attention.bin", random_snapshots(70)
    assert Timeline(path).steps == ()
    for part in (slice(0, 40), slice(40, 70)):  # written by two processes, one after the other
        writer = TimelineWriter(path, up_to=1000)
        for step, snapshot in list(enumerate(snapshots))[part]:
            writer.append(step * 10, snapshot)
    timeline = Timeline(path)
    assert timeline.steps == tuple(range(0, 700, 10))
    for step in (690, 0, 310, 320, 330, 390, 400, 410):
        read = timeline.weights(step)
        for sequence, expected in zip(read, snapshots[step // 10], strict=True):
            assert list(sequence) == list(expected)
            for site, weights in sequence.items():
                assert torch.equal(weights, (expected[site] * 255).round().to(torch.uint8))
    with pytest.raises(KeyError, match="no snapshot at step 5"):
        timeline.weights(5)


def test_a_timeline_cut_anywhere_loses_its_last_snapshot_only(tmp_path: Path) -> None:
    path, snapshots = tmp_path / "attention.bin", random_snapshots(4)
    writer = TimelineWriter(path, up_to=0)
    sizes = []
    for step, snapshot in enumerate(snapshots):
        writer.append(step, snapshot)
        sizes.append(path.stat().st_size)
    data = path.read_bytes()
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        whole = sum(end <= size for end in sizes)
        assert Timeline(path).steps == tuple(range(whole))
    for size in (0, 10, sizes[1] - 1):  # and goes on from there
        path.write_bytes(data[:size])
        again = TimelineWriter(path, up_to=10)
        kept = -1 if again.last_step is None else again.last_step
        for step in range(kept + 1, 4):
            again.append(step, snapshots[step])
        assert torch.equal(Timeline(path).weights(3)[1]["encoder.0.self"], writer_values(snapshots[3][1]))


def writer_values(sequence: dict[str, torch.Tensor]) -> torch.Tensor:
    return (sequence["encoder.0.self"] * 255).round().to(torch.uint8)


def test_changed_bytes_of_a_timeline_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "attention.bin"
    TimelineWriter(path, 0).append(0, random_snapshots(1)[0])
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunCorrupt, match="the snapshot of step 0 is damaged"):
        Timeline(path).weights(0)
    for line in (b'{"format": 2, "sites": []}\n', b"[]\n", b"x\n", b'{"format": 1, "sites": []}\n'):
        path.write_bytes(line)
        with pytest.raises(RunCorrupt):
            Timeline(path)


def test_a_snapshot_of_a_small_model_takes_a_few_kilobytes(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=100, every=5)
    record(run)
    assert run.timeline_path.stat().st_size / len(run.timeline().steps) < 3000


@pytest.mark.parametrize("name", ["reverse", "sort", "dates"])
def test_probe_weights_are_those_of_a_trace(name: str) -> None:
    """The same network on the same text, by the trace that the Explorer shows."""
    recipe = RECIPES[name]
    network = build_network(recipe.model, 0)
    bundle = recipe.bundle(network, 0.0)
    for batch in probe_sequences(recipe.task, 2, seed=1):
        if batch.source is None:
            found = trace(bundle, recipe.task.tokenizer.decode(batch.tokens[0].tolist()))
        else:
            assert recipe.task.source_tokenizer is not None
            source = recipe.task.source_tokenizer.decode(batch.source[0].tolist())
            found = trace(bundle, source, recipe.task.tokenizer.decode(batch.tokens[0].tolist()))
        assert found.token_ids == tuple(batch.tokens[0].tolist())
        weights = attention_weights(network, batch)
        assert list(weights) == [site.name for site in found.sites]
        for site in found.sites:
            expected = torch.stack([site.weights(head) for head in range(site.n_heads)])
            torch.testing.assert_close(weights[site.name], expected)


def test_the_probe_is_always_the_same() -> None:
    for task in (TASK, Stories("en", length=16)):
        first, second = (probe_sequences(task, 3, seed=4) for _ in range(2))
        assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(first, second, strict=True))
