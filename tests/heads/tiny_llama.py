"""A tiny Llama that learns induction within seconds: sequences that repeat themselves, as `tests/heads` trains it."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor

SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
LETTERS = "abcdefghijklmnopqrst"
LENGTH = 40
STEPS = 200


def letters() -> Any:
    """A tokenizer with a token for each letter."""
    names = [*SPECIALS, *LETTERS]
    tokenizer = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def repeated(n: int, generator: torch.Generator) -> Tensor:
    """Return sequences (n, LENGTH) of 6 to 13 different letters again and again, from any of them on."""
    rows = []
    for _ in range(n):
        period = int(torch.randint(6, 14, (), generator=generator))
        cycle = torch.randperm(len(LETTERS), generator=generator)[:period] + len(SPECIALS)
        start = int(torch.randint(period, (), generator=generator))
        rows.append(cycle.repeat(LENGTH // period + 2)[start : start + LENGTH])
    return torch.stack(rows)


def texts(n: int, seed: int) -> list[str]:
    """Return such sequences as texts."""
    rows = repeated(n, torch.Generator().manual_seed(seed))
    return [" ".join(LETTERS[at - len(SPECIALS)] for at in row) for row in rows.tolist()]


def trained(seed: int = 0) -> Any:
    """Train one: two layers of two heads."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    config = hf.LlamaConfig(
        vocab_size=len(SPECIALS) + len(LETTERS), hidden_size=64, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    model = hf.LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 4e-3 * min(1.0, (step + 1) / 20)
        ids = repeated(24, generator)
        loss = torch.nn.functional.cross_entropy(
            model(input_ids=ids).logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()
