"""Binary payloads of the browser view: a JSON header, then the numbers as they are in memory.

    bytes 0-3   "AVZ1"
    bytes 4-7   length N of the header, uint32
    N bytes     header, JSON; header["arrays"][path] = {dtype, shape, offset}
    padding     zeros up to a multiple of 8: here the data begins, offsets count from here

All little-endian. The numbers that can be read on the page travel as float32, exactly as computed; thumbnails as bytes.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from attnviz import attention
from attnviz.models.layers import Attention
from attnviz.trace import AttentionSite, Trace

__all__ = ["STAGES", "Stage", "bundle", "overview", "pack"]

MAGIC = b"AVZ1"
VERSION = 1
Stage = Literal["x", "q", "k", "v", "scores", "masked", "weights", "context", "output"]
STAGES: tuple[Stage, ...] = get_args(Stage)
FIRST_STAGES: tuple[Stage, ...] = ("q", "k", "v", "scores", "masked", "weights", "context")
THUMBNAIL = 32  # cells a side at most
TOP = 10  # most probable outputs listed per position

Array = NDArray[Any]


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Header and arrays in the format above; dtypes float32, int32 and uint8."""
    directory, blocks, offset = {}, [], 0
    for path, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        directory[path] = {"dtype": str(array.dtype), "shape": list(array.shape), "offset": offset}
        blocks += [raw, bytes(-len(raw) % 8)]
        offset += len(raw) + -len(raw) % 8
    text = json.dumps({**header, "arrays": directory}, ensure_ascii=False).encode()
    return b"".join([MAGIC, len(text).to_bytes(4, "little"), text, bytes(-(8 + len(text)) % 8), *blocks])


def bundle(trace: Trace, site: str, heads: Iterable[int], stages: Sequence[Stage]) -> bytes:
    """The matrices of some heads of one site, under "<site>/<head>/<stage>"; X under "<site>/x" and "<site>/x_kv".

    Raises:
        KeyError: no such site.
        IndexError: no such head.
        ValueError: no such stage.
    """
    if unknown := set(stages) - set(STAGES):
        raise ValueError(f"no stage {sorted(unknown)}; there are {', '.join(STAGES)}")
    return pack({}, _matrices(trace, trace.site(site), list(heads), stages))


def _matrices(trace: Trace, site: AttentionSite, heads: Sequence[int], stages: Sequence[Stage]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    if "x" in stages:
        inputs = trace.inputs(site.name)
        arrays[f"{site.name}/x"] = inputs.x.numpy()
        if site.kind == "cross":
            arrays[f"{site.name}/x_kv"] = inputs.memory.numpy()
    for head in heads:
        group = site.group(head)
        given = {"q": site.q[head], "k": site.k[group], "v": site.v[group]}
        computed = site.chain(head)._asdict() if set(stages) - {"x", *given} else {}
        for stage in stages:
            if stage != "x":
                tensor: Tensor = given[stage] if stage in given else computed[stage]
                arrays[f"{site.name}/{head}/{stage}"] = tensor.float().numpy()
    return arrays


def overview(
    trace: Trace,
    *,
    trace_id: str = "",
    data_url: str = "",
    choice: Mapping[str, Any],
    strings: Mapping[str, str],
    lang: str,
) -> bytes:
    """All that the first picture needs: every head as a thumbnail, the chosen head's numbers, the outputs.

    Args:
        trace: to be shown.
        trace_id: names the trace on the server.
        data_url: where the rest of the numbers can be fetched, relative to the page; "" when there is no server.
        choice: {"site": index, "head": h, "query": i | None, "key": j | None, "locked": bool}.
        strings: messages of the view in the user's language.
        lang: of those messages.
    """
    site, head = trace.sites[choice["site"]], choice["head"]
    arrays = {f"thumbs/{s.name}": _thumbnails(s) for s in trace.sites}
    probabilities, ids = trace.logits.softmax(dim=-1).topk(min(TOP, trace.logits.shape[-1]))  # (T, K) each
    arrays["outputs/ids"] = ids.numpy().astype(np.int32)
    arrays["outputs/probs"] = probabilities.numpy()
    arrays |= _matrices(trace, site, [head], FIRST_STAGES)
    card, config, tokenizer = trace.model.card, trace.model.config, trace.model.tokenizer
    n_specials = tokenizer.n_specials
    header = {
        "version": VERSION,
        "trace": trace_id,
        "data_url": data_url,
        "model": {
            "name": card.name,
            "title": card.title,
            "task": card.task,
            "architecture": config.architecture,
            "n_parameters": trace.model.network.n_parameters,
            "max_len": config.max_len,
            "positions": config.positions,
            "norm": config.norm,
        },
        "tokens": trace.stack_tokens(),
        "specials": {
            stack: [position for position, index in enumerate(ids) if index < n_specials]
            for stack, ids in trace.stack_ids().items()
        },
        "sites": [_site_header(s) for s in trace.sites],
        "choice": dict(choice),
        "outputs": {
            "stack": trace.stack,
            "kind": "same" if config.architecture == "encoder" else "next",
            "labels": {str(index): tokenizer.label(index) for index in sorted(set(ids.flatten().tolist()))},
            "k": ids.shape[1],
        },
        "code": CODE,
        "strings": dict(strings),
        "lang": lang,
    }
    return pack(header, arrays)


def _site_header(site: AttentionSite) -> dict[str, Any]:
    return {
        "name": site.name,
        "layer": site.layer,
        "stack": site.stack,
        "kind": site.kind,
        "scoring": site.scoring,
        "n_heads": site.n_heads,
        "n_kv_heads": site.n_kv_heads,
        "d_head": site.d_head,
        "d_model": site.d_model,
        "queries": site.stack,
        "keys": "encoder" if site.kind == "cross" else site.stack,
        "scale": site.scale,
        "causal": site.mask.causal,
        "window": site.mask.window,
        "rotary": site.rotary,
    }


def _thumbnails(site: AttentionSite) -> Array:
    """Every head's weights and their average, max-pooled to at most 32 x 32: (H + 1, Sq, Sk) uint8, 255 = weight 1.

    The brightest weight under a cell stands for the cell, so that a thin diagonal stays visible.
    """
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    width, height = min(n_keys, THUMBNAIL), min(n_queries, THUMBNAIL)
    narrow = torch.empty(site.n_heads + 1, n_queries, width)
    for block, weights in site.weight_blocks():  # (H, rows, Tk)
        narrow[:-1, block] = F.adaptive_max_pool1d(weights, width)
        narrow[-1, block] = F.adaptive_max_pool1d(weights.mean(0), width)
    small = F.adaptive_max_pool1d(narrow.transpose(1, 2), height).transpose(1, 2)  # (H + 1, Sq, Sk)
    return (small * 255).round().to(torch.uint8).numpy()


def _exhibit(*functions: Callable[..., object]) -> dict[str, str]:
    """Name and source of the functions that compute a stage: the code itself is on show."""
    names = (f"{f.__module__.removeprefix('attnviz.')}.{f.__qualname__}" for f in functions)
    return {"name": ", ".join(names), "source": "\n\n".join(textwrap.dedent(inspect.getsource(f)) for f in functions)}


CODE: dict[str, dict[str, str]] = {
    **dict.fromkeys(("q", "k", "v"), _exhibit(Attention._project)),
    "scores": _exhibit(attention.dot_product_scores),
    "masked": _exhibit(attention.scaled_scores, attention.masked_scores),
    "weights": _exhibit(attention.softmax_weights),
    "context": _exhibit(attention.context),
    "output": _exhibit(attention.head_output),
}
