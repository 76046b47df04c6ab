"""A trace in the shape of GPT-2 small, from random numbers: for tests of sizes, where no trained model is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from attnviz.attention import Mask
from attnviz.models.facts import ModelFacts
from attnviz.trace import AttentionSite, LayerInputs, Outputs, ProofEntry, Tokens, Trace

LAYERS, HEADS, D_HEAD, VOCABULARY = 12, 12, 64, 50_257
D_MODEL = HEADS * D_HEAD
SIZE = 0.02 * D_MODEL**0.5  # standard deviation of W x for an x of variance 1


@dataclass(frozen=True)
class RandomPass:
    """A forward pass that has everything a real one has; its numbers mean nothing."""

    length: int
    names: tuple[str, ...]
    nbytes: int = 0

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        yield torch.randn(self.length, VOCABULARY)

    def inputs(self) -> dict[str, LayerInputs]:
        return {name: LayerInputs(x, x) for name in self.names for x in [torch.randn(self.length, D_MODEL)]}

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        return [ProofEntry(site.name, 1e-6, 2e-6) for site in sites]


def random_trace(length: int, seed: int = 0) -> Trace:
    """Queries and keys are about as large as those of a GPT-2 that was not trained yet."""
    torch.manual_seed(seed)
    labels = tuple(f" t{index}" for index in range(length))
    sites = tuple(
        AttentionSite(
            name=f"decoder.{layer}.self",
            layer=layer,
            stack="decoder",
            kind="self",
            queries="decoder",
            keys="decoder",
            scoring="scaled_dot",
            q=torch.randn(HEADS, length, D_HEAD) * SIZE,
            k=torch.randn(HEADS, length, D_HEAD) * SIZE,
            v=torch.randn(HEADS, length, D_HEAD),
            w_o=torch.randn(D_MODEL, D_MODEL) / D_MODEL**0.5,
            scale=D_HEAD**-0.5,
            mask=Mask(causal=True),
        )
        for layer in range(LAYERS)
    )
    facts = ModelFacts("random", "Random numbers", "", "decoder", 124_439_808, 1024, kind="GPT2LMHeadModel")
    return Trace(
        model=SimpleNamespace(facts=facts),
        text="".join(labels),
        target=None,
        target_generated=False,
        sequences={"decoder": Tokens(tuple(range(length)), labels)},
        main="decoder",
        sites=sites,
        outputs=Outputs("next", "decoder", lambda index: f"token {index}"),
        forward_pass=RandomPass(length, tuple(site.name for site in sites)),
    )
