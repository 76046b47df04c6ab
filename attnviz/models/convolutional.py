"""Dilated convolutional networks behind the same `forward` as Transformers and recurrent networks.

Shape legend
    B  sequences in a batch    T  tokens (Ts of the source)    d  channels    k  kernel size    r  dilation
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnviz.models.base import Encoded, SequenceNetwork
from attnviz.models.call import Recorder
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.states import Pool

__all__ = ["ConvolutionBlock", "Convolutional"]


class Embedded(nn.Module):
    """Embeddings of tokens, and of numbers that come with them."""

    def __init__(self, config: ConvolutionalConfig, vocab_size: int, max_len: int) -> None:
        super().__init__()
        self.max_len = max_len
        self.embedding = nn.Embedding(vocab_size, config.d_model)
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        self.features = nn.Linear(config.n_features, config.d_model, bias=False) if config.n_features else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor, features: Tensor | None = None) -> Tensor:
        """(B, T) ids and (B, T, n_features) numbers -> (B, T, d)."""
        if tokens.shape[1] > self.max_len:
            raise ValueError(f"{tokens.shape[1]} tokens given, at most {self.max_len} fit")
        x = self.embedding(tokens)
        if self.features is not None:
            x = x + self.features(features)
        return self.dropout(x)  # type: ignore[no-any-return]


class ConvolutionBlock(nn.Module):
    """One dilated convolution with a residual: x + W gelu(conv(norm(x))).

    A causal one, y_t = b + sum_i w_i x_{t - (k - 1 - i) r}, reads x_t and what was before it, r apart; an encoder's,
    y_t = b + sum_i w_i x_{t - ((k - 1) / 2 - i) r}, as far to both sides. Beyond both ends stand zeros.

    Source:
        van den Oord et al. 2016, "WaveNet", section 2.1 (dilated causal convolutions); Bai, Kolter and Koltun 2018, "An
        Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling", section 3
        (residual blocks). Theirs have two convolutions with weight normalisation and ReLU, WaveNet's a gate; here it is
        one, with the layer norm and the GELU of the Transformer beside it.
    """

    def __init__(self, config: ConvolutionalConfig, dilation: int) -> None:
        super().__init__()
        d = config.d_model
        self.behind, self.ahead = config.sides
        self.norm = nn.LayerNorm(d)
        self.convolution = nn.Conv1d(d, d, config.kernel_size, dilation=dilation)
        self.project = nn.Linear(d, d)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """(B, T, d) -> (B, T, d); real (B, T, 1) bool: padding is read as zeros, as if the sequence ended there."""
        normed = self.norm(x)
        if real is not None:
            normed = normed * real
        found = F.gelu(self._convolved(normed.transpose(1, 2)).transpose(1, 2))  # (B, T, d)
        return x + self.dropout(self.project(found))  # type: ignore[no-any-return]

    def _convolved(self, x: Tensor) -> Tensor:
        """(B, d, T) -> (B, d, T); weights so far out that they read zeros at every position are left out."""
        (step,) = self.convolution.dilation
        behind, ahead = (min(each, (x.shape[2] - 1) // step) for each in (self.behind, self.ahead))
        weight = self.convolution.weight[..., self.behind - behind : self.behind + 1 + ahead]  # (d, d, k or fewer)
        padded = F.pad(x, (behind * step, ahead * step))
        return F.conv1d(padded, weight, self.convolution.bias, dilation=step)


class Convolutional(SequenceNetwork):
    """A dilated convolutional network of any of the three architectures; it has no attention but where it pools.

    An encoder-decoder is one causal stack over the source and the target behind it, each with embeddings of its own:
    the first token of the target, `<bos>`, tells where the source ends. What it writes depends on the source as far
    back as its receptive field goes, by the same convolutions as on what it has written.

    Source:
        Causal convolutions over symbols, and over a source: Kalchbrenner et al. 2016, "Neural Machine Translation in
        Linear Time" (ByteNet), whose encoder is a stack of its own; pooling of convolutions: Kim 2014, "Convolutional
        Neural Networks for Sentence Classification", section 2.
    """

    config: ConvolutionalConfig

    def __init__(self, config: ConvolutionalConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Embedded | None = None
        self.decoder: Embedded | None = None
        if config.architecture == "encoder":
            self.encoder = Embedded(config, config.vocab_size, config.max_len)
        else:
            self.decoder = Embedded(config, config.vocab_size, config.max_len)
        if config.architecture == "encoder-decoder":
            assert config.source_vocab_size is not None  # the config saw to it
            assert config.source_max_len is not None
            self.encoder = Embedded(config, config.source_vocab_size, config.source_max_len)
        self.blocks = nn.ModuleList(ConvolutionBlock(config, dilation) for dilation in config.dilations)
        self.final_norm = nn.LayerNorm(config.d_model)
        self.pool = Pool(config.pooling, config.d_model) if config.pooling != "none" else None
        self.unembedding = nn.Linear(config.d_model, config.output_size)

    def encode(self, source: Tensor, padding: Tensor | None = None) -> Encoded:
        """Return the source as it stands before its target: embedded (B, Ts, d), and which tokens are real (B, Ts).

        Padding goes to the front, so that every source ends where its target begins.
        """
        assert self.encoder is not None  # of an encoder-decoder
        real = torch.ones_like(source, dtype=torch.bool) if padding is None else padding
        order = real.to(torch.uint8).argsort(dim=1, stable=True)  # (B, Ts): padding first, the rest as it stood
        return self.encoder(source.gather(1, order)), real.gather(1, order)

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
        """Return the states that the unembedding reads."""
        self.check_source(source)
        embedded = self.decoder or self.encoder
        assert embedded is not None  # there is one or the other
        x = embedded(tokens, features)
        if source is not None:
            before, real = self.encode(source, source_padding) if encoded is None else encoded
            own = torch.ones_like(tokens, dtype=torch.bool) if padding is None else padding
            both = self._states(torch.cat((before, x), 1), torch.cat((real, own), 1))  # (B, Ts + T, d)
            return both[:, before.shape[1] :]
        states = self._states(x, padding)
        return states if self.pool is None else self._pooled(states, padding, record)

    def _states(self, x: Tensor, padding: Tensor | None) -> Tensor:
        """Return the states of embedded tokens (B, T, d); padding (B, T) bool, True for real tokens, is not read."""
        real = None if padding is None else padding[..., None]
        for block in self.blocks:
            x = block(x, real)
        return self.final_norm(x)  # type: ignore[no-any-return]

    def _pooled(self, states: Tensor, padding: Tensor | None, record: Recorder | None) -> Tensor:
        """(B, T, d) -> (B, 1, d); where attention pools, the last state asks."""
        assert self.pool is not None  # the caller saw to it
        n = torch.tensor([states.shape[1]]).expand(len(states)) if padding is None else padding.sum(1)
        last = states[torch.arange(len(states)), n - 1]  # (B, d)
        return self.pool(states, last, last, padding, record)  # type: ignore[no-any-return]
