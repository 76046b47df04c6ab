"""What a recurrent network is made of: one frozen dataclass that refuses what cannot be built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from attnviz.errors import ConfigError
from attnviz.models.config import Architecture, ModelConfig, Pooling, Predicts, check_outputs, from_fields

__all__ = ["AnyConfig", "Cell", "RecurrentConfig", "StateScoring", "config_from_dict"]

Cell = Literal["rnn", "lstm", "gru"]
StateScoring = Literal["none", "dot", "scaled_dot", "additive"]


@dataclass(frozen=True)
class RecurrentConfig:
    """Shape of a recurrent network.

    Attributes:
        architecture: "encoder" (an output for each token, or one for all by `pooling`), "decoder" (writes on from
            what it has read) or "encoder-decoder".
        vocab_size: symbols the output chooses from (and the input of encoder and decoder).
        max_len: tokens it is made for; recurrence itself knows no limit.
        cell: "rnn" (tanh), "lstm" or "gru".
        d_model: width of a state, of both directions together.
        n_layers: recurrent layers per stack.
        bidirectional: encoders read in both directions, half of d_model each; a decoder never does.
        attention: how states are scored where they attend: in an encoder-decoder the decoder's states read those of
            the encoder, Bahdanau's way for "additive", Luong's for "dot" and "scaled_dot"; in others every state reads
            all states that were before it, and in an encoder also those after it.
        pooling: how an encoder makes one vector of a sequence, for one output; by attention, the last state asks.
        d_embedding: width of the token embeddings; None: d_model.
        dropout: probability, on embeddings, between layers and on the last states.
        embedding_std: standard deviation of the token embeddings at the start.
        source_vocab_size: symbols the encoder of an encoder-decoder reads.
        source_max_len: tokens that encoder is made for.
        n_features: numbers that come with each token; 0: a token is its id alone.
        n_outputs: what the output chooses from, where it is not the vocabulary.
        predicts: the output chooses one of some "classes", or says "values" themselves, as in a forecast.

    Raises:
        ConfigError: a value or a combination that cannot be built; the message says what to change.
    """

    architecture: Architecture
    vocab_size: int
    max_len: int
    cell: Cell = "lstm"
    d_model: int = 64
    n_layers: int = 1
    bidirectional: bool = False
    attention: StateScoring = "none"
    pooling: Pooling = "none"
    d_embedding: int | None = None
    dropout: float = 0.0
    embedding_std: float = 0.5
    source_vocab_size: int | None = None
    source_max_len: int | None = None
    n_features: int = 0
    n_outputs: int | None = None
    predicts: Predicts = "classes"

    def __post_init__(self) -> None:
        for name, choices in (
            ("architecture", Architecture),
            ("cell", Cell),
            ("attention", StateScoring),
            ("pooling", Pooling),
            ("predicts", Predicts),
        ):
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(get_args(choices))}")
        source = ("source_vocab_size", "source_max_len")
        for name in source:
            if (getattr(self, name) is not None) != (self.architecture == "encoder-decoder"):
                raise ConfigError("source_vocab_size and source_max_len belong to an encoder-decoder, which needs both")
        for name in ("vocab_size", "max_len", "d_model", "n_layers", "d_embedding", *source):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ConfigError(f"{name} is {value!r}; it must be a whole number of at least 1")
        if self.bidirectional and self.architecture == "decoder":
            raise ConfigError("a decoder cannot be bidirectional: it would read what it is to write")
        if self.bidirectional and self.d_model % 2:
            raise ConfigError(f"two directions share d_model, which is {self.d_model}: make it even")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"dropout is {self.dropout}; it is a probability below 1")
        if self.embedding_std <= 0:
            raise ConfigError("embedding_std is a standard deviation and must be above 0")
        check_outputs(self)

    @property
    def output_size(self) -> int:
        """Numbers of one output: of the vocabulary, where nothing else is said."""
        return self.vocab_size if self.n_outputs is None else self.n_outputs

    @property
    def embedding_size(self) -> int:
        """Width of the token embeddings."""
        return self.d_model if self.d_embedding is None else self.d_embedding

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RecurrentConfig:
        """The configuration that `to_dict` described.

        Raises:
            ConfigError: a name this version does not know, or a required one that is missing.
        """
        return from_fields(cls, values)


AnyConfig = ModelConfig | RecurrentConfig


def config_from_dict(values: dict[str, Any]) -> AnyConfig:
    """The configuration of any network: a recurrent one names its cell."""
    return RecurrentConfig.from_dict(values) if "cell" in values else ModelConfig.from_dict(values)
