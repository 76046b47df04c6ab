"""Binary payloads of the browser view: a JSON header, then the numbers as they are in memory.

    bytes 0-3   "AVZ1"
    bytes 4-7   length N of the header, uint32
    N bytes     header, JSON; header["arrays"][path] = {dtype, shape, offset}
    padding     zeros up to a multiple of 8: here the data begins, offsets count from here

All little-endian. The numbers that can be read on the page travel as float32, exactly as computed; thumbnails as bytes.
The parameters of additive scoring come with the first picture, under `additive/<site>/w_q`, ".../w_k" and ".../w_v".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnviz import locale
from attnviz.analysis.alignment import equal_blocks
from attnviz.analysis.answer_span import answer_span
from attnviz.analysis.patterns import HeadScore
from attnviz.analysis.telling import followed, most_telling
from attnviz.calculator.solve import BY_HAND
from attnviz.edits.code import HEAD, LOCKS, code_of
from attnviz.errors.base import Why
from attnviz.tasks import Pattern
from attnviz.tasks.pattern import pattern_key
from attnviz.trace import AttentionSite, Trace
from attnviz.trace.site import Chain
from attnviz.view.chips import in_words

__all__ = [
    "STAGES", "Second", "Sides", "Stage", "beside", "bundle", "choice_of", "output_label", "overview", "pack",
    "proof", "second_of",
]  # fmt: skip

MAGIC = b"AVZ1"
VERSION = 1
Stage = Literal[
    "x", "w_q", "w_k", "w_v", "q", "k", "v", "scores", "bias", "masked", "weights", "context", "w_o", "output"
]
STAGES: tuple[Stage, ...] = get_args(Stage)
INPUT_WEIGHTS: tuple[Stage, ...] = ("w_q", "w_k", "w_v")
FIRST_STAGES: tuple[Stage, ...] = ("q", "k", "v", "scores", "masked", "weights", "context")
FIRST_STAGES_LONG: tuple[Stage, ...] = ("weights",)
LONG = 512 * 512  # cells from which on the first picture brings the weights alone; the rest follows
TOP = 10  # most probable outputs listed per position

Array = NDArray[Any]
Sides = Literal["edit", "pair"]
"""Names of two traces beside each other: after and before an edit, or A and B."""


class Second(NamedTuple):
    """A trace beside another one in the same view, which shows either of them, or the first less the second.

    Attributes:
        payload: its own picture, as `overview` returns it.
        names: how the two are called.
    """

    trace: Trace
    payload: bytes
    names: Sides


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return the header and arrays in the format above; dtypes float32, int32 and uint8."""
    directory, blocks, offset = {}, [], 0
    for path, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        directory[path] = {"dtype": str(array.dtype), "shape": list(array.shape), "offset": offset}
        blocks += [raw, bytes(-len(raw) % 8)]
        offset += len(raw) + -len(raw) % 8
    text = json.dumps({**header, "arrays": directory}, ensure_ascii=False).encode()
    return b"".join([MAGIC, len(text).to_bytes(4, "little"), text, bytes(-(8 + len(text)) % 8), *blocks])


@torch.inference_mode()
def bundle(trace: Trace, site: str, heads: Iterable[int], stages: Sequence[Stage]) -> bytes:
    """The matrices of some heads of one site, under `<site>/<head>/<stage>`; X under `<site>/x` and `<site>/x_kv`.

    W_Q, W_K and W_V of a head (d_model, width) have their bias, where there is one, as one more row.

    Raises:
        KeyError: no such site.
        IndexError: no such head.
        ValueError: no such stage.
    """
    if unknown := set(stages) - set(STAGES):
        raise ValueError(f"no stage {sorted(unknown)}; there are {', '.join(STAGES)}")
    return pack({}, _matrices(trace, trace.site(site), list(heads), stages))


def stages_of(site: AttentionSite) -> list[Stage]:
    """The stages that a site can show: X of a whole sequence, weights that can be told, a bias where one is added."""
    has: dict[Stage, bool] = {"x": site.part is None, "bias": site.bias is not None}
    has |= dict.fromkeys(INPUT_WEIGHTS, site.w_in is not None) | dict.fromkeys(
        ("w_o", "output"), site.d_model is not None
    )
    return [stage for stage in STAGES if has.get(stage, True)]


def direct_source(trace: Trace, site: AttentionSite) -> Literal["", "states", "typed"]:
    """Return the source of q, k and v where nothing projects them.

    Returns:
        "typed" by a person, or "states" of a network of our own, whose keys and values are the same; "" elsewhere.
    """
    kind = trace.model.facts.kind
    if kind == BY_HAND:
        return "typed" if trace.inputs(site.name) is None else ""
    return "states" if not kind and torch.equal(site.k, site.v) else ""


def _matrices(trace: Trace, site: AttentionSite, heads: Sequence[int], stages: Sequence[Stage]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    inputs = trace.inputs(site.name) if "x" in stages else None
    if inputs is not None:
        arrays[f"{site.name}/x"] = _numbers(inputs.x)
        if site.kind == "cross":
            arrays[f"{site.name}/x_kv"] = _numbers(inputs.memory)
    for head in heads:
        group = site.group(head)
        found = {"q": site.q[head], "k": site.k[group], "v": site.v[group], "bias": site.bias_of(head)}
        if not set(stages).isdisjoint(INPUT_WEIGHTS):
            found |= _input_weights(site, head)
        if "w_o" in stages:
            found["w_o"] = site.output_weights(head)
        if not set(stages).isdisjoint(Chain._fields):
            found |= site.chain(head)._asdict()
        for stage in stages:
            if (tensor := found.get(stage)) is not None:
                arrays[f"{site.name}/{head}/{stage}"] = _numbers(tensor)
    return arrays


def _input_weights(site: AttentionSite, head: int) -> dict[str, Tensor | None]:
    weights = site.input_weights(head)
    if weights is None:
        return {}
    pairs = zip(INPUT_WEIGHTS, weights[:3], weights[3:], strict=True)
    return {name: weight if bias is None else torch.cat([weight, bias[None]]) for name, weight, bias in pairs}


def _numbers(tensor: Tensor) -> Array:
    return tensor.float().cpu().numpy()


@torch.inference_mode()
def overview(
    trace: Trace,
    *,
    trace_id: str = "",
    data_url: str = "",
    choice: Mapping[str, Any],
    expected: Iterable[Pattern] = (),
    lang: str,
    texts: str = "",
    asked: Sequence[int] = (),
    truth: Sequence[str | None] = (),
    second: Second | None = None,
    what_if: Mapping[str, Any] | None = None,
    name: str = "",
    later: Mapping[str, str] | None = None,
) -> bytes:
    """Return all that the first picture needs: every head as a thumbnail, the chosen head's numbers, the outputs.

    Of a model without attention there are the outputs alone.

    Args:
        trace_id: names the trace on the server.
        data_url: where the rest of the numbers can be fetched, relative to the page; "" when there is no server.
        choice: {"site": index, "head": h, "query": i | None, "key": j | None, "locked": bool}; where the site is None,
            the head that tells most comes first.
        expected: the patterns of the model's task, which say what tells; see `most_telling`.
        texts: where its messages stand (`attnviz.view.texts`), relative to the page; "" where the page has them.
        asked: the rows of the outputs that hold the answer, where the task says so and the model does not.
        truth: the right output at each row, None where none is due; () where nobody knows them.
        second: a trace to be shown beside this one.
        what_if: what can be changed in the forward pass, see `attnviz.server.what_if`; None: nothing is offered.
        name: name by which `attnviz.load_model` knows the model; by default the model's own.
        later: addresses of the modules that the view imports when they are first asked for, by name; see
            `attnviz.view.modules`; "page" for those that the page has. None: there is nobody to answer them.
    """
    arrays: dict[str, Array] = {}
    far: dict[str, NDArray[np.float32]] = {}
    for each in trace.sites:
        small = trace.thumbnails[each.name]
        arrays[f"thumbs/{each.name}"], arrays[f"peaks/{each.name}"], far[each.name] = small
        if each.additive is not None:
            given = each.additive._asdict()  # as scored with: the browser computes from these very numbers
            arrays |= {f"additive/{each.name}/{name}": _numbers(tensor) for name, tensor in given.items()}
    expected = tuple(expected)
    scores = followed(trace, expected)
    telling = most_telling(trace, far, expected, scores) if trace.sites else None
    if telling is not None:
        if choice["site"] is None:
            choice = {**choice, "site": telling.site, "head": telling.head}
        site, head = trace.sites[choice["site"]], choice["head"]
        long = site.q.shape[1] * site.k.shape[1] > LONG
        arrays |= _matrices(trace, site, [head], FIRST_STAGES_LONG if long else FIRST_STAGES)
    before = second.trace if second is not None and second.names == "edit" else None
    outputs, predicted = _outputs(trace, lang, asked, truth, before)
    arrays |= predicted
    if trace.image is not None:
        arrays["image"] = trace.image
    if second is not None:
        arrays["beside"] = np.frombuffer(second.payload, np.uint8)
    header = {
        "version": VERSION,
        "trace": trace_id,
        "data_url": data_url,
        "model": asdict(trace.model.facts),
        "tokens": {name: tokens.labels for name, tokens in trace.sequences.items()},
        "specials": {name: tokens.specials for name, tokens in trace.sequences.items()},
        "words": {name: tokens.words for name, tokens in trace.sequences.items() if tokens.words},
        "segments": {name: tokens.segments for name, tokens in trace.sequences.items() if tokens.segments},
        "grids": {name: tokens.grid._asdict() for name, tokens in trace.sequences.items() if tokens.grid},
        "sites": [_site_header(trace, s, lang) for s in trace.sites],
        "choice": dict(choice),
        "telling": None if telling is None else telling._asdict(),
        "follows": _follows(trace, scores),
        "outputs": outputs,
        "texts": texts,
        "lang": lang,
        "beside": None if second is None else {"names": second.names, **beside(trace, second.trace)},
        "what_if": what_if,
        "later": later or {},
        "code": None if trace.model.facts.kind == BY_HAND else {"trace": code_of(trace, name), "head": HEAD, **LOCKS},
        "edits": in_words(trace.edits, trace, lang),
    }
    return pack(header, arrays)


def choice_of(trace: Trace, site: AttentionSite, head: int) -> dict[str, Any]:
    """Return a head as `overview` takes the place at which the view begins, with nothing locked."""
    return {"site": trace.sites.index(site), "head": head, "query": None, "key": None, "locked": False}


def second_of(trace: Trace, other: Trace, payload: bytes) -> Second:
    """Return a trace to be shown beside another one: before and after an edit of the same text, else A and B."""
    same = trace.model is other.model and (trace.text, trace.target) == (other.text, other.target)
    return Second(other, payload, "edit" if same and trace.edits and not other.edits else "pair")


def beside(trace: Trace, other: Trace) -> dict[str, Any]:
    """Return what two traces have in common.

    Returns:
        "sites": for each site of the one, the index of the other's at the same place, None where there is none;
        "blocks": the tokens in common of each sequence of the one and each of the other, as `equal_blocks` finds them.
    """
    places = {site.place: index for index, site in enumerate(other.sites)}
    return {
        "sites": [places.get(site.place) for site in trace.sites],
        "blocks": {
            name: {of: equal_blocks(mine.labels, theirs.labels) for of, theirs in other.sequences.items()}
            for name, mine in trace.sequences.items()
        },
    }


def _follows(trace: Trace, scores: Iterable[HeadScore]) -> list[dict[str, Any]]:
    """Return the heads that follow an expected pattern: site and head, the key of the pattern's name and their mass."""
    sites = {site.name: index for index, site in enumerate(trace.sites)}
    return [
        {"site": sites[each.site], "head": each.head, "key": pattern_key(each.pattern), "mass": each.mass}
        for each in scores
    ]


def _outputs(
    trace: Trace, lang: str, asked: Sequence[int], truth: Sequence[str | None], before: Trace | None = None
) -> tuple[dict[str, Any] | None, dict[str, Array]]:
    """Return the most probable outputs: what the view is told of them, and their ids and probabilities, (rows, K) each.

    Outputs that are values themselves, as of a forecast, come as they are: "outputs/values", (rows, n). Where the trace
    before an edit is given, "outputs/kept" has what its most probable outputs have now, (rows, K). Of an answer that is
    a span of the text, "span" says where it is, and "outputs/ends" how probable each token is as its start and its end,
    (2, T).
    """
    if trace.outputs is None:
        return None, {}
    if trace.outputs.kind == "values":
        values = _numbers(trace.logits)
        told = {"stack": trace.outputs.sequence, "kind": "values", "positions": trace.outputs.positions}
        return {**told, "labels": {}, "k": values.shape[1]}, {"outputs/values": values}
    kept: dict[str, Array] = {}
    if before is None:
        ids, probabilities = trace.top_outputs(TOP)
    else:
        ids, probabilities, now = trace.top_outputs_and(TOP, before.top_outputs(TOP)[0])
        kept["outputs/kept"] = now.cpu().numpy()
    header = {
        "stack": trace.outputs.sequence,
        "kind": trace.outputs.kind,
        "positions": list(asked or trace.outputs.positions),
        "labels": {
            str(index): output_label(trace, trace.outputs.label(index), lang)
            for index in sorted(set(ids.flatten().tolist()))
        },
        "k": ids.shape[1],
        "truth": [None if right is None else output_label(trace, right, lang) for right in truth],
    }
    found = {"outputs/ids": ids.cpu().numpy().astype(np.int32), "outputs/probs": probabilities.cpu().numpy()}
    if (span := answer_span(trace)) is not None:
        found["outputs/ends"] = _numbers(torch.stack((span.starts, span.ends)))
        header["span"] = {
            "stack": trace.main,
            "begin": span.begin,
            "end": span.end,
            "p": span.probability,
            "none": span.none,
            "context": span.context,
        }
    return header, {**found, **kept}


def output_label(trace: Trace, label: str, lang: str) -> str:
    """Return a label as people of a language call it: those of the shipped tasks are English words."""
    key = f"applications.label.{label}"
    own = trace.outputs is not None and trace.outputs.kind in ("label", "labels") and not trace.model.facts.kind
    return locale.t(lang, key) if own and locale.has(lang, key) else label


def proof(trace: Trace) -> dict[str, Any] | None:
    """The errors of `Trace.proof` for JSON, those that are no numbers as None; None where nothing can be proved."""
    entries = trace.proof()
    if not entries:
        return None
    errors = [entry.max_abs_error if math.isfinite(entry.max_abs_error) else None for entry in entries]
    return {
        "sites": [{"name": e.name, "max_abs_error": error} for e, error in zip(entries, errors, strict=True)],
        "max_abs_error": None if None in errors else max(error for error in errors if error is not None),
        "exact": all(entry.exact for entry in entries),
    }


def _site_header(trace: Trace, site: AttentionSite, lang: str) -> dict[str, Any]:
    direct = direct_source(trace, site)
    return {
        "name": site.name,
        "layer": site.layer,
        "stack": site.stack,
        "kind": site.kind,
        "part": site.part,
        "scoring": site.scoring,
        "n_heads": site.n_heads,
        "n_kv_heads": site.n_kv_heads,
        "d_head": site.d_head,
        "d_key": site.k.shape[-1],
        "d_value": site.d_value,
        "d_model": site.d_model,
        "queries": site.queries,
        "keys": site.keys,
        "stages": [stage for stage in stages_of(site) if stage != "x" or not direct],
        "direct": direct,
        "scale": site.scale,
        "softcap": site.softcap,
        "sinks": None if site.sinks is None else site.sinks.tolist(),
        "causal": site.mask.causal,
        "window": site.mask.window,
        "padding": site.mask.keys is not None,
        "pairs": site.mask.pairs is not None,
        "rotary": site.rotary,
        "projection": None if site.projection is None else site.projection._asdict(),
        "edits": [{"step": edit.step, "head": edit.head, "text": in_words([edit], trace, lang)} for edit in site.edits],
        "no_inputs": site.no_inputs.said(lang) if isinstance(site.no_inputs, Why) else "",
    }
