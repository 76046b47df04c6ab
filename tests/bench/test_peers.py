"""The comparison with peers: what is said of numbers that were found, and of those that could not be."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench import peers, peers_child, peers_models
from bench.common import Figure
from bench.peers import Unmeasured, line, row
from bench.peers_child import ChildFailed, ask

PEERS = ("TransformerLens", "nnsight")  # which are not installed where tests run
SECONDS = {
    "plain": 1.0,
    "traced": 1.01,
    "traced, no logits": 0.4,
    "traced, all heads": 1.1,
    "traced, no logits, all heads": 0.7,
    "all heads": 0.3,
    "eager": 1.25,
    "TransformerLens": 1.5,
    "TransformerLens, plain": 1.2,
    "nnsight, q k v": 1.1,
    "nnsight, weights": 1.4,
}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine on which every process finds what it says here; nothing is run."""
    says: dict[str, Any] = {"installed": True, "broken": ()}

    def answer(what: str, *arguments: Any, **environment: str) -> Any:
        if what == "seconds":
            _, rounds, *names = arguments
            if set(names) & set(says["broken"]):
                raise ChildFailed("ImportError: it wants another torch")
            return {name: [SECONDS[name]] * rounds for name in names}
        if what == "bytes":
            name, *lengths = arguments
            peak = 400 if name == "eager" else 100
            return [{"peak": peak, "kept": 30, "counted": 22, "qkv": 20} for _ in lengths]
        length, _, which = arguments
        bertviz = 1000 * length if which == "BertViz" and says["installed"] else None
        return {"file": 40 * length, "payload": 9 * length, "BertViz": bertviz}

    monkeypatch.setattr(peers, "ask", answer)
    monkeypatch.setattr(peers, "seconds_to_open", lambda file: 2.0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if says["installed"] else None)
    return says


def entries(*lengths: int, longest: bool = False) -> dict[str, peers.Entry]:
    return {entry.figure: entry for entry in peers.measure(list(lengths), longest)}


def goals(found: dict[str, peers.Entry]) -> dict[str, tuple[float, float]]:
    return {
        name: (round(entry.value, 6), entry.goal)
        for name, entry in found.items()
        if isinstance(entry, Figure) and entry.goal is not None
    }


def test_goals(machine: dict[str, Any]) -> None:
    assert goals(entries(64, 256, 1024)) == {
        "T=1024: traced / plain forward": (1.01, 1.02),
        "T=1024: traced, weights of all heads / eager": (0.88, 0.85),
        "T=64: memory held by a trace / q, k, v": (1.1, 1.1),
        "T=256: memory held by a trace / q, k, v": (1.1, 1.1),
        "T=1024: memory held by a trace / q, k, v": (1.1, 1.1),
        "T=1024: peak of a trace / peak of eager": (0.25, 0.4),
        "T=128: our file / BertViz's page": (0.04, 0.05),
        "T=128: what the page is sent / BertViz's page": (0.009, 0.01),
        "T=512: our file, asked for to ready": (2.0, 3.0),
    }


def test_no_number_is_made_up_for_what_is_not_installed(machine: dict[str, Any]) -> None:
    machine["installed"] = False
    name = "T=64: nnsight saving q, k, v / plain forward"
    entry = entries(64)[name]
    assert isinstance(entry, Unmeasured)
    assert row(entry) == {
        "figure": f"{name} (not measured: {entry.reason})",
        "value": None,
        "unit": "x",
        "goal": None,
        "ok": None,
    }
    assert f"not measured: {entry.reason}" in line(entry)


def test_peers_that_are_not_installed_are_said_to_be_unmeasured(machine: dict[str, Any]) -> None:
    machine["installed"] = False
    missing = [entry for entry in entries(64).values() if isinstance(entry, Unmeasured)]
    assert {entry.reason.split(";")[0] for entry in missing} == {
        "no transformer_lens",
        "no nnsight",
        "no bertviz",
        "no playwright",
    }
    assert all("bench/requirements-peers.txt" in entry.reason for entry in missing)


def test_a_peer_that_breaks_does_not_stop_the_others(machine: dict[str, Any]) -> None:
    machine["broken"] = ["TransformerLens"]
    found = entries(64)
    name = "T=64: TransformerLens run_with_cache / plain forward"
    assert found[name] == Unmeasured(name, "x", "transformer_lens: ImportError: it wants another torch")
    saving = found["T=64: nnsight saving weights, eager / plain forward"]
    assert isinstance(saving, Figure)
    assert saving.value == pytest.approx(1.4)


def test_our_own_failure_is_an_error(machine: dict[str, Any]) -> None:
    machine["broken"] = ["traced"]
    with pytest.raises(ChildFailed, match="another torch"):
        entries(64)


def test_bertviz_makes_512_tokens_only_when_asked(machine: dict[str, Any]) -> None:
    name = "T=512: BertViz's page"
    assert name not in entries(64)
    assert name in entries(64, longest=True)


def test_json_and_nothing_else(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.peers", "--length", "64", "--json"])
    peers.main()
    rows = json.loads(capsys.readouterr().out)
    assert {tuple(found) for found in rows} == {("figure", "value", "unit", "goal", "ok")}
    assert {found["ok"] for found in rows} == {None, True}


def test_a_process_says_what_it_was_asked() -> None:
    assert set(ask("seconds", 4, 1)) == set()
    with pytest.raises(ChildFailed, match="ValueError: asked for \\['weather'\\]"):
        ask("weather")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel tells no process's peak here")
def test_memory_at_its_height_and_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    mega = 2**20

    def variant(ids: Tensor) -> Tensor:
        passing = torch.ones(ids.shape[1] * mega, dtype=torch.uint8)
        kept = torch.ones(20 * mega, dtype=torch.uint8)
        del passing
        return kept

    monkeypatch.setitem(peers_models.VARIANTS, "toy", lambda: variant)
    found = peers_child.held("toy", [60, 100])
    assert [entry["peak"] / mega for entry in found] == pytest.approx([80, 120], abs=8)
    assert [entry["kept"] / mega for entry in found] == pytest.approx([20, 20], abs=8)


def test_the_variants_run_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_models, "SHAPE", {"n_layer": 2, "n_head": 3, "n_embd": 12})
    monkeypatch.setattr(peers_models, "gpt2", cache(peers_models.gpt2.__wrapped__))
    ids = peers_models.token_ids(5)
    made = {name: build() for name, build in peers_models.VARIANTS.items() if not name.startswith(PEERS)}
    results: dict[str, Any] = {name: call(ids) for name, call in made.items()}
    wanted = results["plain"].logits[0]
    torch.testing.assert_close(results["eager"].logits[0], wanted)
    assert len(results["eager"].attentions) == 2
    for name in ("traced", "traced, no logits", "traced, all heads", "traced, no logits, all heads"):
        torch.testing.assert_close(results[name].logits, wanted)
        assert len(results[name].sites) == 2
    assert results["all heads"] is None
