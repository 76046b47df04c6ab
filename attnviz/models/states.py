"""Attention over states as they are, and the ways to make one vector of a sequence.

Shape legend
    B  sequences in a batch      T  tokens (Tq queries, Tk keys)      d  width of a state
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnviz.attention import Additive
from attnviz.models.call import AttentionCall, AttentionLayer, Kind, Recorder, edited
from attnviz.models.layers import Masking
from attnviz.models.network_config import SCORINGS, Pooling
from attnviz.models.recurrent_config import StateScoring

__all__ = ["Pool", "StateAttention"]

MINUS_INFINITY = float("-inf")


class StateAttention(AttentionLayer):
    """One head without projections: a state asks, states are keys and values; scores are dot products or additive.

    With `mixes`, what was read and the state that asked become one: h~ = tanh(W_c [c; h] + b).

    Source:
        Bahdanau et al. 2014, section 3.1 and A.1.2 (additive); Luong et al. 2015, eq. 5 (W_c) and section
        3.1, the alternative "dot"; the scale: Vaswani et al. 2017, eq. 1.
    """

    index = 0
    n_heads = n_kv_heads = 1

    def __init__(self, stack: str, kind: Kind, keys: str, scoring: StateScoring, d: int, mixes: bool) -> None:
        super().__init__()
        self.stack, self.kind, self.keys, self.scoring = stack, kind, keys, scoring
        self.scale = d**-0.5 if scoring == "scaled_dot" else 1.0
        if scoring == "additive":
            self.w_q = nn.Linear(d, d, bias=False)
            self.w_k = nn.Linear(d, d, bias=False)
            self.w_v = nn.Linear(d, 1, bias=False)
        self.mix = nn.Linear(2 * d, d) if mixes else None

    @property
    def additive(self) -> Additive | None:
        """See `AttentionLayer.additive`."""
        if self.scoring != "additive":
            return None
        return Additive(self.w_q.weight, self.w_k.weight, self.w_v.weight[0])

    @property
    def w_o(self) -> Tensor | None:
        """The part of W_c that reads the context (d, d): a head's share of what goes into the tanh.

        There is no `b_o`: the bias belongs to context and state together.
        """
        return None if self.mix is None else self.mix.weight[:, : self.mix.out_features].T

    def forward(self, q: Tensor, states: Tensor, masking: Masking, record: Recorder | None) -> Tensor:
        """Let queries (B, Tq, d) attend to states (B, Tk, d): contexts (B, Tq, d)."""
        context = self.read(q, states, self.projected(states), masking.allowed(q.shape[1], states.shape[1], q))
        context = self.edited(q, states, context, masking)
        if record is not None:
            self.show(q, states, context, masking, record)
        return context

    def projected(self, states: Tensor) -> Tensor:
        """Return what scores need of the keys whatever the query: W_k k in the additive function, else the keys."""
        return self.w_k(states) if self.scoring == "additive" else states

    def read(self, q: Tensor, states: Tensor, projected: Tensor, allowed: Tensor | None) -> Tensor:
        """Contexts (B, Tq, d): q (B, Tq, d), states and projected (B, Tk, d), allowed (1 or B, 1, Tq or 1, Tk) bool."""
        if self.scoring == "additive":
            sums = self.w_q(q).unsqueeze(2) + projected.unsqueeze(1)  # (B, Tq, Tk, d)
            scores = torch.tanh(sums) @ self.w_v.weight[0]  # (B, Tq, Tk)
        else:
            scores = q @ projected.transpose(1, 2) * self.scale  # (B, Tq, d) x (B, d, Tk) -> (B, Tq, Tk)
        if allowed is not None:
            scores = scores.masked_fill(~allowed[:, 0], MINUS_INFINITY)
        return scores.softmax(-1) @ states  # (B, Tq, Tk) x (B, Tk, d) -> (B, Tq, d)

    def mixed(self, context: Tensor, states: Tensor) -> Tensor:
        """h~ = tanh(W_c [c; h] + b): contexts and the states that asked, (B, Tq, d) each."""
        assert self.mix is not None  # only those that mix are asked
        return torch.tanh(self.mix(torch.cat((context, states), -1)))

    def show(self, q: Tensor, states: Tensor, context: Tensor, masking: Masking, record: Recorder) -> None:
        """Show the recorder a call: (B, Tq, d), (B, Tk, d), (B, Tq, d)."""
        w_o = self.w_o
        output = None if w_o is None else context @ w_o
        record(self._call(q, states, context, masking)._replace(output=output))

    def edited(self, q: Tensor, states: Tensor, context: Tensor, masking: Masking) -> Tensor:
        """Return the contexts (B, Tq, d) that go on: those that were read, where nobody changes them."""
        return edited(self._call(q, states, context, masking)).squeeze(1)

    def _call(self, q: Tensor, states: Tensor, context: Tensor, masking: Masking) -> AttentionCall:
        asks, reads, contexts = q.unsqueeze(1), states.unsqueeze(1), context.unsqueeze(1)  # (B, 1, T, d)
        return AttentionCall(self, q, states, asks, reads, reads, masking.of_first(), False, contexts, None)


class Pool(nn.Module):
    """One vector of a sequence: the last state, the mean or maximum of all, or what a query reads.

    Source:
        Attention over the hidden states of an LSTM: Zhou et al. 2016, "Attention-Based Bidirectional Long Short-Term
        Memory Networks for Relation Classification", section 3.3. Their query is a learned vector, the same for every
        sequence; here the last state asks (of a Transformer, the first token), and the scores are those of `attention`.
    """

    def __init__(self, pooling: Pooling, d: int) -> None:
        super().__init__()
        self.pooling = pooling
        scoring = pooling if pooling in SCORINGS else None
        self.attention = StateAttention("readout", "cross", "encoder", scoring, d, False) if scoring else None

    def forward(
        self, states: Tensor, last: Tensor, query: Tensor, padding: Tensor | None, record: Recorder | None
    ) -> Tensor:
        """One vector of each sequence.

        Args:
            states: (B, T, d).
            last: (B, d), where reading has ended.
            query: (B, d), asks where attention pools.
            padding: (B, T) bool, True for real tokens; None when all are.
            record: is shown the attention.

        Returns:
            (B, 1, d).
        """
        if self.attention is not None:
            return self.attention(query[:, None], states, Masking(padding=padding), record)  # type: ignore[no-any-return]
        if self.pooling == "last":
            return last[:, None]
        real = torch.ones_like(states[..., :1]) if padding is None else padding[..., None].to(states)  # (B, T, 1)
        if self.pooling == "mean":
            return (states * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)
        return states.masked_fill(real == 0, MINUS_INFINITY).amax(1, keepdim=True)
