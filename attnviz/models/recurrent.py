"""RNN, LSTM and GRU networks behind the same `forward` as Transformers; the recurrence is PyTorch's own.

Shape legend
    B  sequences in a batch    T  tokens (Ts of the source)    d  width of a state    L  layers    V  outputs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnviz.models.base import Encoded, SequenceNetwork
from attnviz.models.call import CellCall, Recorder, StateRecorder, editor
from attnviz.models.config import Stack
from attnviz.models.layers import Masking
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.models.states import Pool, StateAttention
from attnviz.recurrence import CellWeights

__all__ = ["Recurrent", "RecurrentStack"]

CELLS: Mapping[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentStack(nn.Module):
    """Embeddings and recurrent layers: token ids to states."""

    def __init__(self, config: RecurrentConfig, name: Stack, vocab_size: int, max_len: int, extra: int = 0) -> None:
        """`extra`: numbers that join each embedding."""
        super().__init__()
        self.name, self.kind = name, config.cell
        self.max_len = max_len
        self.bidirectional = config.bidirectional and name == "encoder"
        self.embedding = nn.Embedding(vocab_size, config.embedding_size)
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        self.features = nn.Linear(config.n_features, config.embedding_size, bias=False) if config.n_features else None
        self.dropout = nn.Dropout(config.dropout)
        self.cell: nn.RNNBase = CELLS[config.cell](
            config.embedding_size + extra,
            config.d_model // (2 if self.bidirectional else 1),
            config.n_layers,
            batch_first=True,
            bidirectional=self.bidirectional,
            dropout=config.dropout if config.n_layers > 1 else 0.0,
        )

    def embed(self, tokens: Tensor, features: Tensor | None) -> Tensor:
        """Return the input of the first layer: (B, T) ids and (B, T, n_features) numbers -> (B, T, d_embedding)."""
        if tokens.shape[1] > self.max_len:
            raise ValueError(f"{tokens.shape[1]} tokens given, at most {self.max_len} fit")
        x = self.embedding(tokens)
        if self.features is not None:
            x = x + self.features(features)
        return self.dropout(x)  # type: ignore[no-any-return]

    def forward(
        self,
        tokens: Tensor,
        features: Tensor | None,
        padding: Tensor | None,
        initial: Tensor | None = None,
        watch: StateRecorder | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the states (B, T, d) and the last one of each sequence (B, d), of both directions side by side.

        Padding stands at the end, and is not read; `initial` (L, B, d) is where the layers begin.
        """
        x, state = self.embed(tokens, features), self.begin(initial)
        if padding is None:
            states, final = self.cell(x, state)
        else:
            packed = pack_padded_sequence(x, padding.sum(1).cpu(), batch_first=True, enforce_sorted=False)
            states, final = self.cell(packed, state)
            states, _ = pad_packed_sequence(states, batch_first=True, total_length=tokens.shape[1])
        if watch is not None:
            watch(CellCall(self.name, self.kind, self, x, initial, states))
        hidden = final[0] if isinstance(final, tuple) else final  # (L * directions, B, d / directions)
        return states, torch.cat(list(hidden[-2 if self.bidirectional else -1 :]), -1)

    def begin(self, hidden: Tensor | None) -> Any:
        """Return the state of a cell of this kind, from hidden states (L, B, d); an LSTM's memory begins empty."""
        if hidden is None or not isinstance(self.cell, nn.LSTM):
            return hidden
        return hidden, torch.zeros_like(hidden)

    def layers(self) -> list[tuple[str, CellWeights]]:
        """Return the weights of every layer and direction, "forward" or "backward", in the order in which they run."""
        directions = ("", "_reverse")[: 1 + self.bidirectional]
        names = [f"l{layer}{direction}" for layer in range(self.cell.num_layers) for direction in directions]
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [("backward" if name.endswith("_reverse") else "forward", self._weights(name, parts)) for name in names]

    def _weights(self, name: str, parts: tuple[str, ...]) -> CellWeights:
        return CellWeights(*(getattr(self.cell, f"{part}_{name}") for part in parts))


class Recurrent(SequenceNetwork):
    """An RNN, LSTM or GRU of any of the three architectures, with attention where the configuration says so.

    An encoder-decoder's decoder begins at tanh(W h_T), where the encoder ended. With "additive" attention it asks as
    Bahdanau's does: at each step the state before is the query, and what it reads joins the next input; his gated
    units, maxout output and first state are not used. With "dot" or "scaled_dot" it asks as Luong's does, by the new
    state; his input feeding is left out. In both, the output reads Luong's h~ = tanh(W_c [c; h]).

    Source:
        Sutskever et al. 2014 (encoder-decoder); Bahdanau et al. 2014, section 3.1; Luong et al. 2015, section 3.
        Attention over a network's own states comes after the recurrence here; inside it: Cheng et al. 2016, "Long
        Short-Term Memory-Networks for Machine Reading".
    """

    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: RecurrentStack | None = None
        self.decoder: RecurrentStack | None = None
        d, crosses = config.d_model, config.architecture == "encoder-decoder"
        feeds = crosses and config.attention == "additive"
        if config.architecture == "encoder":
            self.encoder = RecurrentStack(config, "encoder", config.vocab_size, config.max_len)
        else:
            extra = d if feeds else 0
            self.decoder = RecurrentStack(config, "decoder", config.vocab_size, config.max_len, extra)
        if crosses:
            assert config.source_vocab_size is not None  # the config saw to it
            assert config.source_max_len is not None
            self.encoder = RecurrentStack(config, "encoder", config.source_vocab_size, config.source_max_len)
            self.bridge = nn.Linear(d, config.n_layers * d)
        stack = "encoder" if config.architecture == "encoder" else "decoder"
        self.attention: StateAttention | None = None
        if config.attention != "none":
            kind, keys = ("cross", "encoder") if crosses else ("self", stack)
            self.attention = StateAttention(stack, kind, keys, config.attention, d, mixes=True)  # type: ignore[arg-type]
        self.feeds = feeds
        self.pool = Pool(config.pooling, d) if config.pooling != "none" else None
        self.dropout = nn.Dropout(config.dropout)
        self.unembedding = nn.Linear(d, config.output_size)

    def stream(
        self,
        tokens: Tensor,
        source: Tensor | None = None,
        *,
        features: Tensor | None = None,
        padding: Tensor | None = None,
        source_padding: Tensor | None = None,
        encoded: Encoded | None = None,
        record: Recorder | None = None,
        watch: StateRecorder | None = None,
    ) -> Tensor:
        """Return the states that the unembedding reads; `watch` is shown the recurrent layers, the encoder's first."""
        self.check_source(source)
        if source is not None:
            encoded = self.encode(source, source_padding, watch) if encoded is None else encoded
            states = self._decode(tokens, encoded, source_padding, record, watch)
        else:
            stack = self.decoder or self.encoder
            assert stack is not None  # there is one or the other
            states, last = stack(tokens, features, padding, None, watch)
            if self.attention is not None:
                masking = Masking(causal=self.config.architecture == "decoder", padding=padding)
                states = self.attention.mixed(self.attention(states, states, masking, record), states)
            if self.pool is not None:
                states = self.pool(states, last, last, padding, record)
        return self.dropout(states)  # type: ignore[no-any-return]

    def encode(self, source: Tensor, padding: Tensor | None = None, watch: StateRecorder | None = None) -> Encoded:
        """Return the encoder's states (B, Ts, d), and the last one of each sequence (B, d)."""
        assert self.encoder is not None  # of an encoder-decoder
        return self.encoder(source, None, padding, None, watch)  # type: ignore[no-any-return]

    def _decode(
        self,
        tokens: Tensor,
        encoded: Encoded,
        source_padding: Tensor | None,
        record: Recorder | None,
        watch: StateRecorder | None,
    ) -> Tensor:
        """Return the decoder's states, or h~ where it attends: (B, T, d); it reads symbols alone."""
        assert self.decoder is not None
        memory, last = encoded
        begin = torch.tanh(self.bridge(last)).view(len(last), -1, self.config.d_model)  # (B, L, d)
        initial = begin.transpose(0, 1).contiguous()  # (L, B, d)
        masking = Masking(padding=source_padding)
        if self.attention is None:
            return self.decoder(tokens, None, None, initial, watch)[0]  # type: ignore[no-any-return]
        if self.feeds:
            return self._fed(tokens, memory, initial, masking, record, watch)
        states, _ = self.decoder(tokens, None, None, initial, watch)
        return self.attention.mixed(self.attention(states, memory, masking, record), states)

    def _fed(
        self,
        tokens: Tensor,
        memory: Tensor,
        initial: Tensor,
        masking: Masking,
        record: Recorder | None,
        watch: StateRecorder | None,
    ) -> Tensor:
        """Bahdanau's decoder, a step at a time: c_t = read(s_{t-1}), s_t = cell(s_{t-1}, [y_t; c_t])."""
        assert self.decoder is not None  # of an encoder-decoder
        assert self.attention is not None
        projected = self.attention.projected(memory)
        allowed = masking.allowed(1, memory.shape[1], memory)
        state, before = self.decoder.begin(initial), initial[-1][:, None]  # (B, 1, d)
        asked, inputs, states = list[Tensor](), list[Tensor](), list[Tensor]()
        contexts = list[Tensor]()
        for x in torch.split(self.decoder.embed(tokens, None), 1, dim=1):  # (B, 1, d_embedding)
            asked.append(before)
            context = self.attention.read(before, memory, projected, allowed)
            if editor() is not None:
                context = self._edited([*contexts, context], asked, tokens.shape[1], memory, masking)
            inputs.append(torch.cat((x, context), -1))
            before, state = self.decoder.cell(inputs[-1], state)
            contexts.append(context)
            states.append(before)
        read = torch.cat(contexts, 1)  # (B, T, d)
        if record is not None:
            self.attention.show(torch.cat(asked, 1), memory, read, masking, record)
        made = torch.cat(states, 1)
        if watch is not None:
            watch(CellCall("decoder", self.decoder.kind, self.decoder, torch.cat(inputs, 1), initial, made))
        return self.attention.mixed(read, made)

    def _edited(self, read: list[Tensor], asked: list[Tensor], n: int, memory: Tensor, masking: Masking) -> Tensor:
        """Return the last context (B, 1, d) as it goes on: its step is the position of its query among all n."""
        assert self.attention is not None  # it has read
        rest = (0, 0, 0, n - len(read))  # the steps to come
        contexts, queries = (F.pad(torch.cat(steps, 1), rest) for steps in (read, asked))  # (B, n, d)
        return self.attention.edited(queries, memory, contexts, masking)[:, len(read) - 1, None]
