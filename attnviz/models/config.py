"""What a Transformer is made of: one frozen dataclass that refuses what cannot be built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Protocol, TypeVar, cast, get_args

from attnviz.errors import ConfigError

__all__ = [
    "Architecture",
    "ModelConfig",
    "Norm",
    "Pooling",
    "Positions",
    "Predicts",
    "Scoring",
    "Stack",
    "check_outputs",
    "from_fields",
]

Architecture = Literal["encoder", "decoder", "encoder-decoder"]
Stack = Literal["encoder", "decoder"]
Positions = Literal["none", "sinusoidal", "learned", "rotary"]
Norm = Literal["pre", "post"]
Scoring = Literal["scaled_dot", "dot"]
Predicts = Literal["classes", "values"]
C = TypeVar("C")
Pooling = Literal["none", "last", "mean", "max", "dot", "scaled_dot", "additive"]


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a Transformer.

    Attributes:
        architecture: "encoder" (every token reads every token), "decoder" (causal), or "encoder-decoder".
        vocab_size: symbols the output chooses from (and the input of encoder and decoder).
        max_len: tokens it can read at once.
        d_model: width of the residual stream.
        n_heads: query heads per layer.
        n_layers: blocks per stack.
        n_kv_heads: key and value heads; None: as many as n_heads; fewer: grouped, 1: multi-query.
        d_ff: hidden width of the feed-forward part; 0: attention only.
        norm: layer norm before each part ("pre") or after the residual sum ("post").
        positions: how order is told.
        scoring: "scaled_dot" divides by sqrt(d_head), "dot" does not.
        window: keys farther away than this are not read; None: no limit.
        dropout: probability, after embeddings and before each residual sum.
        embedding_std: standard deviation of the token embeddings at the start.
        init_std: standard deviation of all linear weights at the start; None: PyTorch's own.
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
    d_model: int = 48
    n_heads: int = 2
    n_layers: int = 2
    n_kv_heads: int | None = None
    d_ff: int = 192
    norm: Norm = "pre"
    positions: Positions = "learned"
    scoring: Scoring = "scaled_dot"
    window: int | None = None
    dropout: float = 0.0
    embedding_std: float = 0.5
    init_std: float | None = None
    source_vocab_size: int | None = None
    source_max_len: int | None = None
    n_features: int = 0
    n_outputs: int | None = None
    predicts: Predicts = "classes"
    pooling: Pooling = "none"

    def __post_init__(self) -> None:
        for name, choices in (
            ("architecture", Architecture),
            ("norm", Norm),
            ("positions", Positions),
            ("scoring", Scoring),
            ("predicts", Predicts),
            ("pooling", Pooling),
        ):
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(get_args(choices))}")
        for name in ("vocab_size", "max_len", "d_model", "n_heads", "n_layers"):
            _positive(name, getattr(self, name))
        for name in ("window", "n_kv_heads"):
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))
        if type(self.d_ff) is not int or self.d_ff < 0:
            raise ConfigError(f"d_ff is {self.d_ff!r}; it must be a whole number, 0 for attention only")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"dropout is {self.dropout}; it is a probability below 1")
        if self.embedding_std <= 0 or (self.init_std is not None and self.init_std <= 0):
            raise ConfigError("embedding_std and init_std are standard deviations and must be above 0")
        if self.d_model % self.n_heads:
            raise ConfigError(
                f"d_model {self.d_model} cannot be shared by {self.n_heads} heads: "
                f"make it a multiple, for example {self.n_heads * max(1, round(self.d_model / self.n_heads))}"
            )
        if self.n_heads % self.kv_heads:
            raise ConfigError(
                f"{self.n_heads} heads cannot be grouped over {self.kv_heads} key-value heads: "
                f"n_kv_heads must divide n_heads"
            )
        if self.positions == "rotary" and self.d_head % 2:
            raise ConfigError(
                f"rotary positions turn pairs of dimensions, but d_head = d_model / n_heads is {self.d_head}: "
                "make it even"
            )
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ConfigError(f"sinusoidal positions come in pairs, but d_model is {self.d_model}: make it even")
        check_outputs(self)
        for name in ("source_vocab_size", "source_max_len"):
            if (getattr(self, name) is not None) != (self.architecture == "encoder-decoder"):
                raise ConfigError("source_vocab_size and source_max_len belong to an encoder-decoder, which needs both")
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))

    @property
    def output_size(self) -> int:
        """Numbers of one output: of the vocabulary, where nothing else is said."""
        return self.vocab_size if self.n_outputs is None else self.n_outputs

    @property
    def d_head(self) -> int:
        """Width of one head: d_model / n_heads."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Number of key and value heads, whether or not they are grouped."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def scale(self) -> float:
        """What raw scores are multiplied by."""
        return self.d_head**-0.5 if self.scoring == "scaled_dot" else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """The configuration that `to_dict` described.

        Raises:
            ConfigError: a name this version does not know, or a required one that is missing.
        """
        return from_fields(cls, values)


class HasOutputs(Protocol):
    """What configurations of all networks have in common here."""

    @property
    def architecture(self) -> Architecture:
        """Of the network."""

    @property
    def n_features(self) -> int:
        """Numbers of a token."""

    @property
    def n_outputs(self) -> int | None:
        """Numbers of an output."""

    @property
    def pooling(self) -> Pooling:
        """Of an encoder."""


def check_outputs(config: HasOutputs) -> None:
    """Refuse sizes that are none, and one output of a network that writes.

    Raises:
        ConfigError: there is one.
    """
    if type(config.n_features) is not int or config.n_features < 0:
        raise ConfigError(f"n_features is {config.n_features!r}; it must be a whole number, 0 for none")
    if config.n_outputs is not None:
        _positive("n_outputs", config.n_outputs)
    if config.pooling != "none" and config.architecture != "encoder":
        raise ConfigError(f"pooling makes one output of a sequence; a network that is {config.architecture!r} has many")


def from_fields(kind: Callable[..., C], values: dict[str, Any]) -> C:
    """A configuration, a dataclass, from plain values.

    Raises:
        ConfigError: a name this version does not know, or a required one that is missing.
    """
    unknown = sorted(values.keys() - {field.name for field in fields(cast(Any, kind))})
    missing = sorted({"architecture", "vocab_size", "max_len"} - values.keys())
    if unknown or missing:
        raise ConfigError(f"model configuration: unknown {unknown or 'nothing'}, missing {missing or 'nothing'}")
    return kind(**values)


def _positive(name: str, value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number of at least 1")
