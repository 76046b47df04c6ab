"""The lines of a Transformer in a script that stands for a run; see script.py for what the marks mean."""

from __future__ import annotations

__all__ = ["CONSTANTS", "NETWORK"]

CONSTANTS = r"""
D_MODEL = $D_MODEL  # width of the residual stream
N_HEADS = $N_HEADS
N_KV_HEADS = $N_KV_HEADS  # heads of keys and values; each is read by several heads of queries  #? grouped
N_LAYERS = $N_LAYERS
D_HEAD = D_MODEL // N_HEADS
SCALE = D_HEAD**-0.5  # of the scores  #? scaled
SCALE = 1.0  # of the scores  #? !scaled
WIDTHS = [D_MODEL, N_KV_HEADS * D_HEAD, N_KV_HEADS * D_HEAD]  # of all queries, keys and values of a token  #? grouped
WIDTHS = [D_MODEL, D_MODEL, D_MODEL]  # of all queries, keys and values of a token  #? !grouped
D_FF = $D_FF  # hidden width of the feed-forward part  #? feed_forward
WINDOW = $WINDOW  # only keys nearer than this are read  #? window
DROPOUT = $DROPOUT
MAX_LEN = $MAX_LEN  # tokens
SOURCE_MAX_LEN = $SOURCE_MAX_LEN  # tokens of the source  #? cross
""".removeprefix("\n")

NETWORK = r'''
class Attention(nn.Module):
    """For every head softmax(q k^T * SCALE) v; all heads side by side, through W_O."""

    def __init__(self) -> None:
        super().__init__()
        self.project_in = nn.Linear(D_MODEL, sum(WIDTHS))  # W_Q, W_K and W_V side by side
        self.project_out = nn.Linear(D_MODEL, D_MODEL)  # W_O

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:  #? !cross
        """What is read (B, T, D_MODEL), which keys each query may read (T, T) -> (B, T, D_MODEL)."""  #? !cross
        q, k, v = self.project_in(x).split(WIDTHS, dim=-1)  #? !cross
    def forward(self, x: Tensor, memory: Tensor, allowed: Tensor) -> Tensor:  #? cross
        """(B, Tq, D_MODEL), what it reads (B, Tk, D_MODEL), which keys of it (Tq, Tk) -> (B, Tq, D_MODEL)."""  #? cross
        q, _, _ = self.project_in(x).split(WIDTHS, dim=-1)  #? cross
        _, k, v = self.project_in(memory).split(WIDTHS, dim=-1)  #? cross
        q, k, v = split_heads(q), split_heads(k), split_heads(v)  # (B, H, T, D_HEAD)
        q, k = rotate(q), rotate(k)  #? rotary_alone
        if memory is x:  # positions in two different texts do not compare  #? rotary_cross
            q, k = rotate(q), rotate(k)  #? rotary_cross
        k, v = (part.repeat_interleave(N_HEADS // N_KV_HEADS, dim=1) for part in (k, v))  # (B, H, ...)  #? grouped
        scores = q @ k.transpose(-2, -1) * SCALE  # (B, H, Tq, D_HEAD) x (B, H, D_HEAD, Tk) -> (B, H, Tq, Tk)
        weights = scores.masked_fill(~allowed, float("-inf")).softmax(dim=-1)  # each row sums to 1
        context = weights @ v  # (B, H, Tq, Tk) x (B, H, Tk, D_HEAD) -> (B, H, Tq, D_HEAD)
        return self.project_out(context.transpose(1, 2).flatten(2))  # heads side by side: (B, Tq, D_MODEL)


def split_heads(x: Tensor) -> Tensor:
    """(B, T, H * D_HEAD) -> (B, H, T, D_HEAD)."""
    return x.unflatten(-1, (-1, D_HEAD)).transpose(1, 2)


def angles(n: int, width: int) -> Tensor:  #? angles
    """t / 10000^(2i / width) for every position t and pair i of dimensions: (T, width / 2)."""  #? angles
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)  #? angles
    return torch.outer(torch.arange(n, dtype=torch.float64), frequencies).float()  #? angles
  #? angles
  #? angles
def rotate(x: Tensor) -> Tensor:  #? rotary
    """Turn every pair of dimensions of a query or key by the angle of its position: (B, H, T, D_HEAD)."""  #? rotary
    angle = angles(x.shape[-2], D_HEAD)  # (T, D_HEAD / 2)  #? rotary
    even, odd, cos, sin = x[..., 0::2], x[..., 1::2], angle.cos(), angle.sin()  #? rotary
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)  #? rotary
  #? rotary
  #? rotary
def sinusoids(n: int) -> Tensor:  #? sinusoidal
    """Sines and cosines that tell the positions: (T, D_MODEL)."""  #? sinusoidal
    angle = angles(n, D_MODEL)  # (T, D_MODEL / 2)  #? sinusoidal
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)  #? sinusoidal
  #? sinusoidal
  #? sinusoidal
def readable(n: int, causal: bool) -> Tensor:
    """Which keys (columns) each query (row) may read: (T, T) bool."""
    query, key = torch.arange(n)[:, None], torch.arange(n)[None, :]
    allowed = key <= query if causal else torch.ones(n, n, dtype=torch.bool)
    allowed = allowed & ((query - key).abs() < WINDOW)  #? window
    return allowed


class Block(nn.Module):
    """Each part reads the normed stream and adds to the stream."""  #? pre
    """Each part reads the stream and adds to it; the sum is normed."""  #? post

    def __init__(self) -> None:  #? !cross
    def __init__(self, reads_source: bool) -> None:  #? cross
        super().__init__()
        self.attention = Attention()
        self.attention_norm = nn.LayerNorm(D_MODEL)
        if reads_source:  #? cross
            self.cross_attention = Attention()  #? cross
            self.cross_norm = nn.LayerNorm(D_MODEL)  #? cross
        layers = nn.Linear(D_MODEL, D_FF), nn.GELU(), nn.Linear(D_FF, D_MODEL)  #? feed_forward
        self.feed_forward = nn.Sequential(*layers)  #? feed_forward
        self.feed_forward_norm = nn.LayerNorm(D_MODEL)  #? feed_forward
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:  #? !cross
    def forward(self, x: Tensor, allowed: Tensor, memory: Tensor | None = None) -> Tensor:  #? cross
        """(B, T, D_MODEL) -> (B, T, D_MODEL)."""
        normed = self.attention_norm(x)  #? pre
        x = x + self.dropout(self.attention(normed, allowed))  #? pre_alone
        x = x + self.dropout(self.attention(normed, normed, allowed))  #? pre_cross
        x = self.attention_norm(x + self.dropout(self.attention(x, allowed)))  #? post_alone
        x = self.attention_norm(x + self.dropout(self.attention(x, x, allowed)))  #? post_cross
        if memory is not None:  #? cross
            everything = torch.ones(x.shape[1], memory.shape[1], dtype=torch.bool)  # (Tq, Tk)  #? cross
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), memory, everything))  #? pre_cross
            x = self.cross_norm(x + self.dropout(self.cross_attention(x, memory, everything)))  #? post_cross
        x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))  #? pre_feed_forward
        x = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))  #? post_feed_forward
        return x


class Stack(nn.Module):
    """Embeddings, positions and blocks: token ids to a residual stream."""

    def __init__(self, n_symbols: int, max_len: int, causal: bool, reads_source: bool = False) -> None:  #? cross
    def __init__(self, n_symbols: int, max_len: int, causal: bool) -> None:  #? !cross
        super().__init__()
        self.max_len = max_len
        self.causal = causal
        self.embedding = nn.Embedding(n_symbols, D_MODEL)
        self.features = nn.Linear(N_FEATURES, D_MODEL)  # for the numbers of a token  #? features
        self.position_embedding = nn.Embedding(max_len, D_MODEL)  #? learned
        self.blocks = nn.ModuleList(Block(reads_source) for _ in range(N_LAYERS))  #? cross
        self.blocks = nn.ModuleList(Block() for _ in range(N_LAYERS))  #? !cross
        self.final_norm = nn.LayerNorm(D_MODEL)  #? pre
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor, memory: Tensor | None = None) -> Tensor:  #? cross
    def forward(self, tokens: Tensor, features: Tensor) -> Tensor:  #? features
    def forward(self, tokens: Tensor) -> Tensor:  #? plain
        """Token ids (B, T) -> residual stream (B, T, D_MODEL)."""
        n = tokens.shape[1]
        if n > self.max_len:
            raise SystemExit(f"{n} tokens given, at most {self.max_len} fit")
        x = self.embedding(tokens)
        x = x + self.features(features)  #? features
        x = x + self.position_embedding.weight[:n]  #? learned
        x = x + sinusoids(n)  #? sinusoidal
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, readable(n, self.causal), memory)  #? cross
            x = block(x, readable(n, self.causal))  #? !cross
        return self.final_norm(x)  #? pre
        return x  #? post


class Network(nn.Module):
    """An encoder and a decoder that reads it: source and target ids to logits."""  #? encoder_decoder
    """A decoder: every token reads itself and what came before."""  #? decoder
    """An encoder: every token reads every token."""  #? encoder

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Stack(len(SOURCE_VOCABULARY), SOURCE_MAX_LEN, causal=False)  #? cross
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, causal=True, reads_source=True)  #? cross
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, causal=True)  #? decoder
        self.encoder = Stack(len(VOCABULARY), MAX_LEN, causal=False)  #? encoder
        self.pool = nn.ModuleDict({"attention": StateAttention($POOLING, mixes=False)})  #? pool_attention
        self.unembedding = nn.Linear(D_MODEL, N_OUTPUTS)

    def forward(self, tokens: Tensor, source: Tensor) -> Tensor:  #? cross
        """Token ids (B, T) and those of the source (B, Ts) -> $RESULT."""  #? cross
    def forward(self, tokens: Tensor, features: Tensor) -> Tensor:  #? features
        """Token ids (B, T) and their numbers (B, T, N_FEATURES) -> $RESULT."""  #? features
    def forward(self, tokens: Tensor) -> Tensor:  #? plain
        """Token ids (B, T) -> $RESULT."""  #? plain
        stream = self.decoder(tokens, self.encoder(source))  #? cross
        stream = self.decoder(tokens)  #? decoder_plain
        stream = self.decoder(tokens, features)  #? decoder_features
        stream = self.encoder(tokens)  #? encoder_plain
        stream = self.encoder(tokens, features)  #? encoder_features
        stream = stream[:, -1:]  # the last state stands for the whole: (B, 1, D_MODEL)  #? pool_last
        stream = stream.mean(1, keepdim=True)  # the mean stands for the whole: (B, 1, D_MODEL)  #? pool_mean
        stream = stream.amax(1, keepdim=True)  # the maximum stands for the whole: (B, 1, D_MODEL)  #? pool_max
        everything = torch.ones(1, tokens.shape[1], dtype=torch.bool)  # (1, T)  #? pool_attention
        stream = self.pool["attention"](stream[:, :1], stream, everything)  # the first token asks  #? pool_attention
        return self.unembedding(stream)  #? !pooled
        return self.unembedding(stream).expand(-1, tokens.shape[1], -1)  # one output, at all positions  #? pooled


'''.removeprefix("\n")
