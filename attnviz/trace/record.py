"""Recording a forward pass of our own Transformers."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from attnviz.errors import EmptyText, TargetNotAllowed, TextTooLong
from attnviz.models import AttentionCall, SequenceModel, generate
from attnviz.trace.model_trace import Trace
from attnviz.trace.site import AttentionSite

__all__ = ["trace"]


@torch.inference_mode()
def trace(model: SequenceModel, text: str, target: str | None = None) -> Trace:
    """Run a model on a text and keep what is needed to show every number of it.

    Args:
        model: from `load_model`.
        text: what the model reads; the source of an encoder-decoder.
        target: of an encoder-decoder: what its decoder reads. None or blank: the model writes it itself, greedily,
            and `Trace.target_generated` says so.

    Returns:
        A Trace whose sites refer to the q, k and v of this forward pass.

    Raises:
        EmptyText, UnknownSymbols, TextTooLong: the text cannot be read whole.
        TargetNotAllowed: a target for a model that reads one text.

    Example:
        >>> import attnviz
        >>> model = attnviz.load_model("zoo/reverse")
        >>> attnviz.trace(model, "g f e d c").sites[0].weights(0).shape
        torch.Size([6, 6])
    """
    generated = False
    if model.source_tokenizer is None:
        if target is not None and target.strip():
            raise TargetNotAllowed(model.config.architecture)
        source_ids, token_ids = None, model.tokenizer.encode(text)
    else:
        source_ids = model.source_tokenizer.encode(text)
        _check_length(source_ids, model.config.source_max_len)
        if target is None or not target.strip():
            target, generated = generate(model, text), True
        symbols = model.tokenizer.split(target)
        token_ids = [model.tokenizer.bos_id] * model.tokenizer.add_bos + model.tokenizer.encode_symbols(symbols)
    _check_length(token_ids, model.config.max_len)
    if not token_ids:
        raise EmptyText

    sites: list[AttentionSite] = []
    tokens = torch.tensor([token_ids])
    source = None if source_ids is None else torch.tensor([source_ids])
    stream = model.network.stream(tokens, source, record=lambda call: sites.append(_site(call)))
    return Trace(
        model=model,
        text=text,
        target=None if model.source_tokenizer is None else target,
        target_generated=generated,
        token_ids=tuple(token_ids),
        source_ids=None if source_ids is None else tuple(source_ids),
        sites=tuple(sites),
        stream=stream[0],
    )


def _check_length(ids: list[int], limit: int | None) -> None:
    if limit is not None and len(ids) > limit:
        raise TextTooLong(len(ids), limit)


def _site(call: AttentionCall) -> AttentionSite:
    layer = call.layer
    q, k, v = _hold_only_these(call.q[0], call.k[0], call.v[0])
    return AttentionSite(
        name=layer.name,
        layer=layer.index,
        stack=layer.stack,
        kind=layer.kind,
        scoring=layer.scoring,
        q=q,
        k=k,
        v=v,
        w_o=layer.project_out.weight.T,
        scale=layer.scale,
        mask=call.mask,
        rotary=call.rotary,
    )


def _hold_only_these(*tensors: Tensor) -> list[Tensor]:
    """The tensors themselves, or a copy of one whose memory would keep much else alive.

    q, k and v usually are three views that fill one buffer; after a rotation only v still refers to it.
    """
    used = Counter[int]()
    for tensor in tensors:
        used[tensor.untyped_storage().data_ptr()] += tensor.nbytes
    return [t if t.untyped_storage().nbytes() <= used[t.untyped_storage().data_ptr()] else t.clone() for t in tensors]
