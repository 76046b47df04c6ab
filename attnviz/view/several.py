"""The payload of `static/several/several.js`: one head over several texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from attnviz.trace import Trace
from attnviz.view.payload import pack
from attnviz.view.texts import address

__all__ = ["pictures"]

CELLS = 96  # of a picture a side, at most


def pictures(traces: Sequence[Trace], site: str, head: int, lang: str) -> bytes:
    """Return the weights of a head over each text, "<index>/weights", and the tokens of their rows and columns.

    The weights of a longer text are max-pooled to 96 x 96; "index" has the first token that each place stands for.
    """
    texts, arrays = [], {}
    for number, trace in enumerate(traces):
        found = trace.site(site)
        weights = found.weights(head).float()
        shown = _pooled(weights)
        arrays[f"{number}/weights"] = shown.cpu().numpy()
        texts.append(
            {
                "text": trace.text,
                "queries": _axis(trace.sequences[found.queries].labels, shown.shape[0]),
                "keys": _axis(trace.sequences[found.keys].labels, shown.shape[1]),
            }
        )
    return pack({"texts": address(lang), "lang": lang, "pictures": texts}, arrays)


def _pooled(weights: Tensor) -> Tensor:
    height, width = (min(size, CELLS) for size in weights.shape)
    return F.adaptive_max_pool2d(weights[None], (height, width))[0]


def _axis(labels: Sequence[str], places: int) -> dict[str, Any]:
    index = [place * len(labels) // places for place in range(places)]
    return {"labels": [labels[first] for first in index], "index": index}
