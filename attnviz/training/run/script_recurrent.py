"""The lines of a recurrent network in a script that stands for a run; see script.py for what the marks mean."""

from __future__ import annotations

__all__ = ["CONSTANTS", "NETWORK"]

CONSTANTS = r"""
D_MODEL = $D_MODEL  # width of a state, of both directions together
D_EMBEDDING = $D_EMBEDDING  # width of a token's embedding
N_LAYERS = $N_LAYERS
BIDIRECTIONAL = $BIDIRECTIONAL  # an encoder reads in both directions
DROPOUT = $DROPOUT
MAX_LEN = $MAX_LEN  # tokens
SOURCE_MAX_LEN = $SOURCE_MAX_LEN  # tokens of the source  #? cross
""".removeprefix("\n")

NETWORK = r'''
def readable(n: int, causal: bool) -> Tensor:  #? attends_self
    """Which keys (columns) each query (row) may read: (T, T) bool."""  #? attends_self
    query, key = torch.arange(n)[:, None], torch.arange(n)[None, :]  #? attends_self
    return key <= query if causal else torch.ones(n, n, dtype=torch.bool)  #? attends_self
  #? attends_self
  #? attends_self
class Stack(nn.Module):
    """Embeddings and recurrent layers: token ids to states."""

    def __init__(self, n_symbols: int, max_len: int, bidirectional: bool, extra: int = 0) -> None:
        super().__init__()
        self.max_len = max_len
        self.embedding = nn.Embedding(n_symbols, D_EMBEDDING)
        self.features = nn.Linear(N_FEATURES, D_EMBEDDING, bias=False)  # for the numbers of a token  #? features
        self.dropout = nn.Dropout(DROPOUT)
        self.cell = nn.$CELL(
            D_EMBEDDING + extra,
            D_MODEL // 2 if bidirectional else D_MODEL,
            N_LAYERS,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=DROPOUT if N_LAYERS > 1 else 0.0,
        )

    def embed(self, tokens: Tensor, features: Tensor) -> Tensor:  #? features
    def embed(self, tokens: Tensor) -> Tensor:  #? !features
        """Token ids (B, T) -> what the first layer reads (B, T, D_EMBEDDING)."""
        if tokens.shape[1] > self.max_len:
            raise SystemExit(f"{tokens.shape[1]} tokens given, at most {self.max_len} fit")
        return self.dropout(self.embedding(tokens) + self.features(features))  #? features
        return self.dropout(self.embedding(tokens))  #? !features

    def forward(self, x: Tensor, begin=None) -> tuple[Tensor, Tensor]:
        """Embeddings (B, T, D_EMBEDDING) -> states (B, T, D_MODEL), and where reading ended (B, D_MODEL)."""
        states, (hidden, _) = self.cell(x, begin)  # hidden: (N_LAYERS * directions, B, D_MODEL / directions)  #? lstm
        states, hidden = self.cell(x, begin)  # hidden: (N_LAYERS * directions, B, D_MODEL / directions)  #? !lstm
        return states, torch.cat(list(hidden[-2 if self.cell.bidirectional else -1 :]), -1)


class Network(nn.Module):
    """An encoder and a decoder that begins where it ended: source and target ids to logits."""  #? encoder_decoder
    """A decoder: every state comes from what was read so far."""  #? decoder
    """An encoder: a state for each token."""  #? encoder

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Stack(len(SOURCE_VOCABULARY), SOURCE_MAX_LEN, BIDIRECTIONAL)  #? cross
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, False, D_MODEL)  # reads the context too  #? fed
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, False)  #? decoder_unfed
        self.encoder = Stack(len(VOCABULARY), MAX_LEN, BIDIRECTIONAL)  #? encoder
        self.bridge = nn.Linear(D_MODEL, N_LAYERS * D_MODEL)  # from the encoder's end to the decoder's begin  #? cross
        self.attention = StateAttention($ATTENTION, mixes=True)  #? attends
        self.pool = nn.ModuleDict({"attention": StateAttention($POOLING, mixes=False)})  #? pool_attention
        self.dropout = nn.Dropout(DROPOUT)
        self.unembedding = nn.Linear(D_MODEL, N_OUTPUTS)

    def forward(self, tokens: Tensor, source: Tensor) -> Tensor:  #? cross
        """Token ids (B, T) and those of the source (B, Ts) -> $RESULT."""  #? cross
    def forward(self, tokens: Tensor, features: Tensor) -> Tensor:  #? features
        """Token ids (B, T) and their numbers (B, T, N_FEATURES) -> $RESULT."""  #? features
    def forward(self, tokens: Tensor) -> Tensor:  #? plain
        """Token ids (B, T) -> $RESULT."""  #? plain
        n = tokens.shape[1]  #? counts
        memory, last = self.encoder(self.encoder.embed(source))  # (B, Ts, D_MODEL), (B, D_MODEL)  #? cross
        begin = torch.tanh(self.bridge(last)).unflatten(-1, (N_LAYERS, D_MODEL))  # (B, N_LAYERS, D_MODEL)  #? cross
        hidden = begin.transpose(0, 1).contiguous()  # (N_LAYERS, B, D_MODEL)  #? cross
        state = (hidden, torch.zeros_like(hidden))  # an LSTM's memory begins empty  #? cross_lstm
        state = hidden  #? cross_not_lstm
        everything = torch.ones(1, source.shape[1], dtype=torch.bool)  # (1, Ts)  #? attends_cross
        # Bahdanau's way: the state before asks, and what it reads joins the next input  #? fed
        asks, contexts, states = hidden[-1][:, None], [], []  # (B, 1, D_MODEL)  #? fed
        for x in self.decoder.embed(tokens).split(1, dim=1):  # (B, 1, D_EMBEDDING)  #? fed
            context = self.attention(asks, memory, everything)  # (B, 1, D_MODEL)  #? fed
            asks, state = self.decoder.cell(torch.cat((x, context), -1), state)  #? fed
            contexts.append(context)  #? fed
            states.append(asks)  #? fed
        states = self.attention.mixed(torch.cat(contexts, 1), torch.cat(states, 1))  # (B, T, D_MODEL)  #? fed
        states, _ = self.decoder(self.decoder.embed(tokens), state)  # (B, T, D_MODEL)  #? cross_unfed
        # Luong's way: the new state asks  #? luong
        states = self.attention.mixed(self.attention(states, memory, everything), states)  #? luong
        states, last = self.encoder(self.encoder.embed(tokens))  # (B, T, D_MODEL), (B, D_MODEL)  #? encoder_plain
        states, last = self.encoder(self.encoder.embed(tokens, features))  #? encoder_features
        states, last = self.decoder(self.decoder.embed(tokens))  # (B, T, D_MODEL), (B, D_MODEL)  #? decoder_plain
        states, last = self.decoder(self.decoder.embed(tokens, features))  #? decoder_features
        context = self.attention(states, states, readable(n, causal=$CAUSAL))  # (B, T, D_MODEL)  #? attends_self
        states = self.attention.mixed(context, states)  #? attends_self
        states = last[:, None]  # the last state stands for the whole: (B, 1, D_MODEL)  #? pool_last
        states = states.mean(1, keepdim=True)  # the mean stands for the whole: (B, 1, D_MODEL)  #? pool_mean
        states = states.amax(1, keepdim=True)  # the maximum stands for the whole: (B, 1, D_MODEL)  #? pool_max
        everything = torch.ones(1, n, dtype=torch.bool)  # (1, T)  #? pool_attention
        states = self.pool["attention"](last[:, None], states, everything)  # the last state asks  #? pool_attention
        outputs = self.unembedding(self.dropout(states))  # (B, T, N_OUTPUTS)  #? !pooled
        outputs = self.unembedding(self.dropout(states))  # (B, 1, N_OUTPUTS)  #? pooled
        return outputs  #? !pooled
        return outputs.expand(-1, n, -1)  # the one output, at all positions  #? pooled


'''.removeprefix("\n")
