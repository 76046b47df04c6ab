"""Encoder, decoder and encoder-decoder Transformers behind one `forward`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnviz.models.base import Encoded, SequenceNetwork
from attnviz.models.call import Recorder, editor
from attnviz.models.config import ModelConfig, Stack
from attnviz.models.layers import Block, Masking
from attnviz.models.states import Pool
from attnviz.positions import rotary_angles, sinusoidal

__all__ = ["Transformer", "TransformerStack"]


class TransformerStack(nn.Module):
    """Embeddings, positions and blocks of an encoder or a decoder: token ids to a residual stream."""

    cos: Tensor
    sin: Tensor
    sinusoids: Tensor

    def __init__(self, config: ModelConfig, stack: Stack, vocab_size: int, max_len: int) -> None:
        super().__init__()
        self.max_len = max_len
        self.causal = stack == "decoder"
        self.window = config.window
        self.positions = config.positions
        self.embedding = nn.Embedding(vocab_size, config.d_model)
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        self.features = nn.Linear(config.n_features, config.d_model) if config.n_features else None
        if config.positions == "learned":
            self.position_embedding = nn.Embedding(max_len, config.d_model)
            nn.init.normal_(self.position_embedding.weight, std=config.embedding_std)
        elif config.positions == "sinusoidal":
            with torch.device("cpu"):  # also of a blank network: these are no weights
                sinusoids = sinusoidal(max_len, config.d_model)
            self.register_buffer("sinusoids", sinusoids, persistent=False)
        elif config.positions == "rotary":
            with torch.device("cpu"):
                cos, sin = rotary_angles(max_len, config.d_head)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, stack, index) for index in range(config.n_layers))
        self.final_norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(
        self,
        tokens: Tensor,
        padding: Tensor | None,
        record: Recorder | None,
        memory: Tensor | None = None,
        memory_padding: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Return the residual stream after the last block and its norm: (B, T, d_model).

        Token ids are (B, T), numbers that come with them (B, T, n_features).
        """
        n = tokens.shape[1]
        if n > self.max_len:
            raise ValueError(f"{n} tokens given, at most {self.max_len} fit")
        x = self.embedding(tokens)  # (B, T, d_model)
        if self.features is not None:
            x = x + self.features(features)
        changes = editor()
        positions = self.positions if changes is None or changes.positions else "none"
        if positions == "learned":
            x = x + self.position_embedding.weight[:n]
        elif positions == "sinusoidal":
            x = x + self.sinusoids[:n]
        x = self.dropout(x)
        rotary = (self.cos, self.sin) if positions == "rotary" else None
        masking = Masking(self.causal, self.window, padding)
        memory_masking = None if memory is None else Masking(padding=memory_padding)
        for block in self.blocks:
            x = block(x, masking, rotary, record, memory, memory_masking)
        return self.final_norm(x)  # type: ignore[no-any-return]


class Transformer(SequenceNetwork):
    """A Transformer of any of the three architectures.

    Source:
        Vaswani et al. 2017, figure 1; decoder only: Radford et al. 2018; encoder only: Devlin et al. 2018.
    """

    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: TransformerStack | None = None
        self.decoder: TransformerStack | None = None
        if config.architecture == "encoder-decoder":
            assert config.source_vocab_size is not None  # the config saw to it
            assert config.source_max_len is not None
            self.encoder = TransformerStack(config, "encoder", config.source_vocab_size, config.source_max_len)
        if config.architecture == "encoder":
            self.encoder = TransformerStack(config, "encoder", config.vocab_size, config.max_len)
        else:
            self.decoder = TransformerStack(config, "decoder", config.vocab_size, config.max_len)
        self.pool = Pool(config.pooling, config.d_model) if config.pooling != "none" else None
        self.unembedding = nn.Linear(config.d_model, config.output_size)
        if config.init_std is not None:
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=config.init_std)
                    nn.init.zeros_(module.bias)

    def encode(self, source: Tensor, padding: Tensor | None = None, record: Recorder | None = None) -> Encoded:
        """Return the encoder's residual stream (B, Ts, d_model)."""
        assert self.encoder is not None  # of an encoder-decoder
        return (self.encoder(source, padding, record),)

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
    ) -> Tensor:
        """Return the residual stream that the unembedding reads, normed in a pre-norm model."""
        self.check_source(source)
        if self.decoder is None:
            assert self.encoder is not None
            stream: Tensor = self.encoder(tokens, padding, record, features=features)
            return stream if self.pool is None else self._pooled(stream, padding, record)
        memory = None
        if source is not None:
            (memory,) = self.encode(source, source_padding, record) if encoded is None else encoded
        return self.decoder(tokens, padding, record, memory, source_padding, features)  # type: ignore[no-any-return]

    def _pooled(self, stream: Tensor, padding: Tensor | None, record: Recorder | None) -> Tensor:
        """(B, T, d_model) -> (B, 1, d_model); where attention pools, the first token asks."""
        assert self.pool is not None  # the caller saw to it
        n = torch.tensor([stream.shape[1]]).expand(len(stream)) if padding is None else padding.sum(1)
        last = stream[torch.arange(len(stream)), n - 1]  # (B, d_model)
        return self.pool(stream, last, stream[:, 0], padding, record)  # type: ignore[no-any-return]
