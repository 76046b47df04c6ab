"""n-gram models: counts by hand, probabilities that sum to 1, sizes that are kept."""

from __future__ import annotations

from collections import Counter
from math import log

import pytest
import torch
from torch import Generator, Tensor

import attnviz
from attnviz.errors import ConfigError
from attnviz.tasks import OwnText
from attnviz.tasks.base import Batch
from attnviz.tasks.language.ngram import MAX_ORDER, NGram, best_models, nats
from attnviz.tokenizers import Tokenizer

BOS, A, B, C = 1, 3, 4, 5
TEXT = torch.tensor([A, B, A, C, A, B])  # abacab
SIZE = 6


def after(model: NGram, *context: int) -> list[float]:
    """P(a), P(b), P(c) after a context."""
    found: list[float] = model.log_probabilities(torch.tensor([context]))[0, -1, Tokenizer.n_specials :].exp().tolist()
    return found


def random_text(n: int, seed: int = 0, symbols: int = 4) -> Tensor:
    return torch.randint(symbols, (n,), generator=Generator().manual_seed(seed)).square() + Tokenizer.n_specials


def test_order_1_is_relative_frequencies() -> None:
    model = NGram.fit(TEXT, SIZE, 1)
    assert after(model, C) == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert model.n_parameters == 3


def test_what_never_occurred_has_its_share() -> None:
    """Three kinds were seen in six symbols: 3 / (6 + 3) is for what is new, here two symbols."""
    model = NGram.fit(TEXT, SIZE + 2, 1)
    assert after(model, A) == pytest.approx([3 / 9, 2 / 9, 1 / 9, 1.5 / 9, 1.5 / 9])


def test_order_2_by_hand() -> None:
    """a was followed by b, c, b: two kinds. c(a) is 3."""
    model = NGram.fit(TEXT, SIZE, 2)
    assert after(model, A) == pytest.approx([2 / 5 * 3 / 6, (2 + 2 * 2 / 6) / 5, (1 + 2 * 1 / 6) / 5])
    assert after(model, C) == pytest.approx([(1 + 1 * 3 / 6) / 2, 1 / 2 * 2 / 6, 1 / 2 * 1 / 6])
    assert model.n_parameters == 3 + 4  # ab ba ac ca


def test_order_3_by_hand() -> None:
    """ba was followed by c; what was never read, bc, falls back to c."""
    model = NGram.fit(TEXT, SIZE, 3)
    p_a = after(model.shortened(2), A)
    assert after(model, B, A) == pytest.approx([p_a[0] / 2, p_a[1] / 2, (1 + p_a[2]) / 2])
    assert after(model, B, C) == after(model, C)


def test_the_end_of_the_text_takes_nothing_away() -> None:
    """b stands at the end too, where nothing follows: c(b) = 2, of which one was before a."""
    assert after(NGram.fit(TEXT, SIZE, 2), B) == pytest.approx([(1 + 2 * 3 / 6) / 3, 2 * 2 / 6 / 3, 2 * 1 / 6 / 3])


def test_bos_says_how_texts_begin() -> None:
    model = NGram.fit(TEXT, SIZE, 3, starts=torch.tensor([0, 4]))
    p = [3 / 6, 2 / 6, 1 / 6]
    assert after(model, BOS) == pytest.approx([(2 + p[0]) / 3, p[1] / 3, p[2] / 3])
    inner = after(model.shortened(2), A)
    assert after(model, BOS, A) == pytest.approx([inner[0] / 3, (2 + inner[1]) / 3, inner[2] / 3])
    without = NGram.fit(TEXT, SIZE, 3)
    assert after(model, A, B) == after(without, A, B), "<bos> changes nothing inside a text"
    assert after(without, BOS) == pytest.approx(p), "a model that never saw <bos> knows frequencies"


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("least", [1, 3])
def test_probabilities_sum_to_1(order: int, least: int) -> None:
    text = random_text(300)
    model = NGram.fit(text, 16, order, starts=torch.arange(0, 300, 7)).pruned(least)
    tokens = torch.cat((torch.full((9, 1), BOS), random_text(90, seed=1, symbols=3).view(9, 10)), 1)
    found = model.log_probabilities(tokens).exp()
    assert found.sum(2).allclose(torch.ones(9, 11, dtype=torch.float64))
    assert (found[..., : Tokenizer.n_specials] == 0).all()
    assert (found[..., Tokenizer.n_specials :] > 0).all()


def test_it_is_what_counting_says() -> None:
    """The same recursion written with dictionaries, on contexts that were read and others."""
    text = random_text(120).tolist()
    order = 4
    counts = [Counter(tuple(text[i : i + k]) for i in range(len(text) - k + 1)) for k in range(1, order + 1)]

    def probability(symbol: int, context: tuple[int, ...]) -> float:
        if not context:
            return counts[0][(symbol,)] / len(text)
        shorter = probability(symbol, context[1:])
        followed = {gram[-1]: n for gram, n in counts[len(context)].items() if gram[:-1] == context}
        if not followed:
            return shorter
        n = counts[len(context) - 1][context]
        left = len(followed) + n - sum(followed.values())
        return (followed.get(symbol, 0) + left * shorter) / (n + len(followed))

    symbols = sorted(set(text))
    read = random_text(40, seed=2).tolist()
    relabelled = torch.tensor([symbols.index(s) + Tokenizer.n_specials for s in text])
    model = NGram.fit(relabelled, len(symbols) + Tokenizer.n_specials, order)
    tokens = torch.tensor([[symbols.index(s) + Tokenizer.n_specials for s in read]])
    found = model.log_probabilities(tokens).exp()[0]
    for place in range(len(read)):
        context = tuple(read[max(0, place - order + 2) : place + 1])
        wanted = [probability(symbol, context) for symbol in symbols]
        assert found[place, Tokenizer.n_specials :].tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("size", [30, 100, 400, 10_000])
def test_a_model_within_a_size_has_at_most_that_many_counts(size: int) -> None:
    whole = NGram.fit(random_text(500), 16, MAX_ORDER)
    found = whole.within(size)
    assert found.n_parameters <= size
    if size >= whole.n_parameters:
        assert found is whole
    else:
        kept = torch.cat([level.counts for level in found.levels]) if found.levels else torch.tensor([501])
        all_counts = torch.cat([level.counts for level in whole.levels])
        assert kept.min() > 1
        assert len(kept) + int((all_counts == kept.min() - 1).sum()) + 4 > size, "one count less would be too many"


def test_pruning_leaves_the_counts_of_what_stays() -> None:
    text = random_text(400)
    whole, pruned = NGram.fit(text, 16, 4), NGram.fit(text, 16, 4).pruned(5)
    for before, after_it in zip(whole.levels, pruned.levels, strict=True):
        assert torch.equal(before.counts[before.counts >= 5], after_it.counts)


def test_too_small_a_size_and_no_text() -> None:
    with pytest.raises(ConfigError, match="size is"):
        NGram.fit(TEXT, SIZE, 2).within(2)
    with pytest.raises(ConfigError, match="order is 0"):
        NGram.fit(TEXT, SIZE, 0)
    with pytest.raises(ConfigError, match="is 0; it must be a whole number of at least 1"):
        NGram.fit(TEXT[:0], SIZE, 2)


def test_nats_are_the_mean_surprise() -> None:
    model = NGram.fit(TEXT, SIZE, 1)
    batch = Batch(torch.tensor([[BOS, A]]), torch.tensor([[A, C]]))
    assert nats(model, batch) == pytest.approx(-(log(3 / 6) + log(1 / 6)) / 2)


def test_baselines_of_the_stories() -> None:
    """As the card of a shipped model has them, which are held to be those of the task."""
    found = dict(attnviz.load_model("zoo/english").card.baselines)
    assert list(found) == ["symbol frequencies", "n-gram of equal size", "n-gram"]
    assert found["symbol frequencies"] > 3 > 0.8 > found["n-gram of equal size"] > found["n-gram"] > 0.44


def test_the_models_of_a_short_text_do_not_learn_it_by_heart() -> None:
    """Validation data decides on the order; of a text without structure it is nothing but frequencies."""
    generator = Generator().manual_seed(0)
    text = "".join("abcd"[i] for i in torch.randint(4, (600,), generator=generator).tolist())
    task = OwnText(text, length=16)
    small, large = best_models(task, torch.tensor(task.tokenizer.encode_symbols(task.parts["train"])), None, 10_000)
    assert small.order == large.order <= 2
    frequencies = dict(task.baselines())["symbol frequencies"]
    assert frequencies == pytest.approx(task.frequency_loss, abs=0.02)
