"""The parts of a Transformer: multi-head attention, feed-forward, block.

Shape legend
    B  sequences in a batch      T   tokens (Tq queries, Tk keys)      V  vocabulary
    H  query heads               H_kv  key and value heads             d_model, d_head, d_ff  widths
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnviz.attention import Mask, Projection
from attnviz.models.call import AttentionCall, AttentionLayer, Kind, Recorder, edited
from attnviz.models.config import ModelConfig, Stack
from attnviz.positions import rotate

__all__ = ["Attention", "Block", "Masking", "Rotary"]

Rotary = tuple[Tensor, Tensor]  # cos, sin, each (T, d_head / 2)


@dataclass(frozen=True)
class Masking:
    """The rule of one stack for a whole batch.

    Attributes:
        causal: a query reads its own position and before.
        window: a query reads only keys nearer than this.
        padding: (B, Tk) bool, True for real tokens; None when there is no padding.
    """

    causal: bool = False
    window: int | None = None
    padding: Tensor | None = None

    def of_first(self) -> Mask:
        """Return the mask of the first sequence, as data."""
        return Mask(self.causal, self.window, None if self.padding is None else self.padding[0])

    def for_sdpa(self, n_queries: int, n_keys: int, like: Tensor) -> Tensor | None:
        """Return the mask as fused attention wants it: None, or bool (1 or B, 1, Tq, Tk).

        A purely causal rule needs no matrix: the kernel knows it.
        """
        if self.window is None and self.padding is None:
            return None
        return self.allowed(n_queries, n_keys, like)

    def allowed(self, n_queries: int, n_keys: int, like: Tensor) -> Tensor | None:
        """Return the mask as a matrix: bool (1 or B, 1, Tq, Tk); None where every query may read every key."""
        if not self.causal and self.window is None and self.padding is None:
            return None
        allowed = Mask(self.causal, self.window).allowed(n_queries, n_keys, like.device)[None, None]  # (1, 1, Tq, Tk)
        return allowed if self.padding is None else allowed & self.padding[:, None, None, :]


class Attention(AttentionLayer):
    """Multi-head attention with separate or grouped keys and values.

    q = x W_Q + b_Q, k = memory W_K + b_K, v = memory W_V + b_V, split into heads; rotary positions then turn q and k;
    output = Concat(softmax(q k^T * scale) v) W_O + b_O.

    One matrix holds W_Q, W_K and W_V side by side, so that self-attention is one product.

    Source:
        Vaswani et al. 2017, section 3.2.2; grouped: Ainslie et al. 2023 (GQA), section 2.2.
    """

    def __init__(self, config: ModelConfig, stack: Stack, index: int, kind: Kind) -> None:
        super().__init__()
        self.stack, self.index, self.kind = stack, index, kind
        self.keys = "encoder" if kind == "cross" else stack
        self.scoring, self.scale = config.scoring, config.scale
        self.projection = Projection(normed=config.norm == "pre", bias=True)
        self.n_heads, self.n_kv_heads, self.d_head = config.n_heads, config.kv_heads, config.d_head
        self.project_in = nn.Linear(config.d_model, (self.n_heads + 2 * self.n_kv_heads) * self.d_head)
        self.project_out = nn.Linear(self.n_heads * self.d_head, config.d_model)

    @property
    def w_in(self) -> Tensor:
        """W_Q, W_K and W_V side by side: (d_model, (H + 2 H_kv) * d_head)."""
        return self.project_in.weight.T

    @property
    def b_in(self) -> Tensor:
        """Their biases: ((H + 2 H_kv) * d_head,)."""
        return self.project_in.bias

    @property
    def w_o(self) -> Tensor:
        """Output projection: (H * d_head, d_model)."""
        return self.project_out.weight.T

    @property
    def b_o(self) -> Tensor:
        """Its bias: (d_model,)."""
        return self.project_out.bias

    def forward(
        self, x: Tensor, memory: Tensor, masking: Masking, rotary: Rotary | None, record: Recorder | None
    ) -> Tensor:
        """(B, Tq, d_model), (B, Tk, d_model) -> (B, Tq, d_model)."""
        q, k, v = self._project(x, memory)
        if rotary is not None:
            cos, sin = rotary
            q = rotate(q, cos[: q.shape[2]], sin[: q.shape[2]])
            k = rotate(k, cos[: k.shape[2]], sin[: k.shape[2]])
        mask = masking.for_sdpa(q.shape[2], k.shape[2], q)
        context = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=masking.causal and mask is None,
            scale=self.scale,
            enable_gqa=self.n_kv_heads != self.n_heads,
        )  # (B, H, Tq, d_head)
        call = AttentionCall(self, x, memory, q, k, v, masking.of_first(), rotary is not None, context, None)
        context = edited(call)
        output: Tensor = self.project_out(context.transpose(1, 2).flatten(2))  # (B, Tq, H * d_head) -> (B, Tq, d_model)
        if record is not None:
            record(call._replace(context=context, output=output))
        return output

    def _project(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries (B, H, Tq, d_head), keys and values (B, H_kv, Tk, d_head)."""
        n_q, n_kv = self.n_heads * self.d_head, self.n_kv_heads * self.d_head
        if memory is x:
            q, k, v = torch.split(self.project_in(x), [n_q, n_kv, n_kv], dim=-1)
        else:
            weight, bias = self.project_in.weight, self.project_in.bias
            q = F.linear(x, weight[:n_q], bias[:n_q])
            k, v = torch.split(F.linear(memory, weight[n_q:], bias[n_q:]), [n_kv, n_kv], dim=-1)
        return self._heads(q, self.n_heads), self._heads(k, self.n_kv_heads), self._heads(v, self.n_kv_heads)

    def _heads(self, x: Tensor, n: int) -> Tensor:
        return x.view(*x.shape[:2], n, self.d_head).transpose(1, 2)  # (B, T, n * d_head) -> (B, n, T, d_head)


class Block(nn.Module):
    """Self-attention, then cross-attention where there is an encoder to read, then feed-forward; each with a residual.

    pre-norm:  x + part(norm(x))      post-norm:  norm(x + part(x))

    Source:
        Vaswani et al. 2017, section 3.1; pre-norm: Xiong et al. 2020, "On Layer Normalization in the Transformer
        Architecture".
    """

    def __init__(self, config: ModelConfig, stack: Stack, index: int) -> None:
        super().__init__()
        cross = config.architecture == "encoder-decoder" and stack == "decoder"
        self.pre_norm = config.norm == "pre"
        self.attention = Attention(config, stack, index, "self")
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = Attention(config, stack, index, "cross") if cross else None
        self.cross_norm = nn.LayerNorm(config.d_model) if cross else None
        self.feed_forward = (
            nn.Sequential(nn.Linear(config.d_model, config.d_ff), nn.GELU(), nn.Linear(config.d_ff, config.d_model))
            if config.d_ff
            else None
        )
        self.feed_forward_norm = nn.LayerNorm(config.d_model) if config.d_ff else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        masking: Masking,
        rotary: Rotary | None,
        record: Recorder | None,
        memory: Tensor | None = None,
        memory_masking: Masking | None = None,
    ) -> Tensor:
        """(B, T, d_model) -> (B, T, d_model)."""
        normed = self._before(x, self.attention_norm)
        x = self._after(x, self.attention(normed, normed, masking, rotary, record), self.attention_norm)
        if self.cross_attention is not None and self.cross_norm is not None:
            if memory is None or memory_masking is None:
                raise ValueError("a block with cross-attention needs the encoder's output")
            read = self.cross_attention(self._before(x, self.cross_norm), memory, memory_masking, None, record)
            x = self._after(x, read, self.cross_norm)
        if self.feed_forward is not None and self.feed_forward_norm is not None:
            change = self.feed_forward(self._before(x, self.feed_forward_norm))
            x = self._after(x, change, self.feed_forward_norm)
        return x

    def _before(self, x: Tensor, norm: nn.LayerNorm) -> Tensor:
        return norm(x) if self.pre_norm else x

    def _after(self, x: Tensor, change: Tensor, norm: nn.LayerNorm) -> Tensor:
        total: Tensor = x + self.dropout(change)
        return total if self.pre_norm else norm(total)
