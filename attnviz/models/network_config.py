"""Settings that all networks share."""

from __future__ import annotations

from dataclasses import KW_ONLY, asdict, dataclass, fields
from typing import Any, ClassVar, Final, Literal, Self, get_args

from attnviz.errors import ConfigIncomplete, SettingNotOffered, SettingOutside
from attnviz.errors.settings import check_whole

__all__ = ["LARGEST", "OF_THE_TASK", "SCORINGS", "Architecture", "NetworkConfig", "Pooling", "Predicts"]

Architecture = Literal["encoder", "decoder", "encoder-decoder"]
Predicts = Literal["classes", "values"]
Pooling = Literal["none", "last", "mean", "max", "dot", "scaled_dot", "additive"]
SCORINGS: Final = ("dot", "scaled_dot", "additive")
"""Ways of pooling that are attention."""

REQUIRED = ("architecture", "vocab_size", "max_len")
OF_THE_TASK = (*REQUIRED, "source_vocab_size", "source_max_len", "n_features", "n_outputs", "predicts")
"""Fields that follow from what is learned, whatever the network is."""

LARGEST = {
    "vocab_size": 2**24,
    "source_vocab_size": 2**24,
    "max_len": 2**16,
    "source_max_len": 2**16,
    "d_model": 2**14,
    "d_ff": 2**17,
    "d_embedding": 2**14,
    "n_layers": 256,
    "n_heads": 2**10,
    "n_kv_heads": 2**10,
    "window": 2**31,
    "kernel_size": 2**10,
    "dilation": 2**10,
    "n_outputs": 2**24,
    "n_features": 2**16,
}
"""Sizes beyond which nothing is built: far above what is trained here, and small enough that no product overflows."""


@dataclass(frozen=True)
class NetworkConfig:
    """Inputs and outputs of a network; each kind of network adds its own settings.

    Attributes:
        architecture: "encoder" (an output for each token, or one for all by `pooling`), "decoder" (writes on from
            what it has read) or "encoder-decoder".
        vocab_size: symbols the output chooses from (and the input of encoder and decoder).
        max_len: tokens it can read at once.
        d_model: width of what a token becomes.
        n_layers: number of layers of each stack.
        dropout: probability.
        embedding_std: standard deviation of the token embeddings at the start.
        source_vocab_size: symbols the encoder of an encoder-decoder reads.
        source_max_len: tokens that encoder can read.
        n_features: numbers that come with each token, as in a picture or a series; 0: a token is its id alone.
        n_outputs: what the output chooses from, where it is not the vocabulary.
        predicts: the output chooses one of some "classes", or says "values" themselves, as in a forecast.
        pooling: how an encoder makes one vector of a sequence, for one output: the "last" state, the "mean" or "max"
            of all, or attention by a scoring function; "none": an output for each token.

    Raises:
        ConfigError: a value or a combination that cannot be built; the message says what to change.
    """

    architecture: Architecture
    vocab_size: int
    max_len: int
    _: KW_ONLY
    d_model: int = 48
    n_layers: int = 2
    dropout: float = 0.0
    embedding_std: float = 0.5
    source_vocab_size: int | None = None
    source_max_len: int | None = None
    n_features: int = 0
    n_outputs: int | None = None
    predicts: Predicts = "classes"
    pooling: Pooling = "none"

    choices: ClassVar[dict[str, Any]] = {"architecture": Architecture, "predicts": Predicts, "pooling": Pooling}

    def __post_init__(self) -> None:
        for name, choices in self.choices.items():
            if getattr(self, name) not in get_args(choices):
                raise SettingNotOffered(name, getattr(self, name), get_args(choices))
        source = ("source_vocab_size", "source_max_len")
        for name in source:
            if (getattr(self, name) is not None) != (self.architecture == "encoder-decoder"):
                raise SettingOutside(name, getattr(self, name), "encoder-decoder")
        for name in ("vocab_size", "max_len", "d_model", "n_layers", "n_outputs", *source):
            self._check_positive(name)
        if not 0.0 <= self.dropout < 1.0:
            raise SettingOutside("dropout", self.dropout, "below-1")
        if self.embedding_std <= 0:
            raise SettingOutside("embedding_std", self.embedding_std, "positive")
        check_whole("n_features", self.n_features, 0, LARGEST["n_features"])
        if self.n_features and self.architecture == "encoder-decoder":
            raise SettingOutside("n_features", self.n_features, "one-sequence")
        if self.pooling != "none" and self.architecture != "encoder":
            raise SettingOutside("pooling", self.pooling, "no-pooling")

    def _check_positive(self, name: str) -> None:
        """Refuse what is neither None nor a whole number of at least 1; None only stands where a field allows it."""
        value = getattr(self, name)
        optional = next(field for field in fields(self) if field.name == name).default is None
        if value is not None or not optional:
            check_whole(name, value, 1, LARGEST[name])

    @property
    def output_size(self) -> int:
        """Numbers of one output: of the vocabulary, where nothing else is said."""
        return self.vocab_size if self.n_outputs is None else self.n_outputs

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the configuration that `to_dict` described.

        Raises:
            ConfigError: a name this version does not know, or a required one that is missing.
        """
        unknown = sorted(values.keys() - {field.name for field in fields(cls)})
        missing = sorted(set(REQUIRED) - values.keys())
        if unknown or missing:
            raise ConfigIncomplete(unknown, missing)
        return cls(**values)
