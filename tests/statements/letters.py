"""Statements about the small models of letters, digits and dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from attnviz.tasks import IGNORE
from attnviz.tokenizers import Tokenizer
from attnviz.training import RECIPES
from tests.statements.looking import ablated, cells_of, look, model_of, pattern_cells, read
from tests.statements.statement import Bound, at_least, at_most, between, statement


def lengths(name: str, end: str = "") -> list[int]:
    """Letters or digits of each test sequence, up to a mark."""
    tokenizer, found = model_of(name).tokenizer, []
    for tokens, _ in look(name).rows():
        symbols = [tokenizer.label(token) for token in tokens if token >= Tokenizer.n_specials]
        found.append(symbols.index(end) if end else len(symbols))
    return found


@statement("zoo.reverse.about", "In layer 1 look for the anti-diagonal", "反对角线")
@statement("task.reverse.about", "an anti-diagonal", "反对角线")
def reverse_mirrors() -> Iterator[Bound]:
    seen = look("reverse")
    for head in range(2):
        yield at_least(
            f"layer 1 head {head} on the mirrored place", read(seen, "encoder.1.self", head, "anti-diagonal").hits, 0.95
        )


@statement("zoo.reverse.about", "in layer 0 many tokens read <eos> to learn where the sequence ends", "<eos>")
@statement("task.reverse.about", "a first layer has to find <eos>", "<eos>")
def reverse_finds_the_end() -> Iterator[Bound]:
    seen = look("reverse")
    ends = cells_of(seen, lambda tokens: [(query, len(tokens) - 1) for query in range(len(tokens))])
    yield at_least(
        "layer 0, a head on <eos>", max(read(seen, "encoder.0.self", head, ends).hits for head in range(2)), 0.4
    )
    without = seen.task.accuracy(ablated(seen, "encoder.0.self"), seen.batch)
    yield at_most("exact match without layer 0", without, 0.1)


@statement("zoo.reverse.about", "3 to 10 letters", "3 到 10 个字母")
def reverse_limits() -> Iterator[Bound]:
    found = lengths("reverse")
    yield between("shortest", min(found), 3, 3)
    yield between("longest", max(found), 10, 10)
    yield at_least("exact match", look("reverse").score, 0.98)


@statement("zoo.sort.about", "each one reads the letter that comes next in the alphabet", "字母表中接下来的那个字母")
@statement("task.sort.about", "Its head should read the next letter in the alphabet", "接下来该写的那个字母")
def sort_reads_the_next() -> Iterator[Bound]:
    yield at_least("on the next letter", read(look("sort"), "decoder.0.self", 0, "next value").hits, 0.9)


@statement("zoo.sort.about", "sorts 2 to 10 different letters", "2 到 10 个不同的字母")
@statement("task.sort.about", "One layer is enough", "一层就够了")
def sort_limits() -> Iterator[Bound]:
    found = lengths("sort", ">")
    yield between("fewest", min(found), 2, 2)
    yield between("most", max(found), 10, 10)
    yield between("layers", model_of("sort").config.n_layers, 1, 1)
    yield at_least("exact match", look("sort").score, 0.98)
    rows = [
        tokens[: tokens.index(model_of("sort").tokenizer.encode_symbols((">",))[0])]
        for tokens, _ in look("sort").rows()
    ]
    yield at_least("sequences of different letters", sum(len(set(row)) == len(row) for row in rows) / len(rows), 1)


@statement("zoo.induction.about", "In layer 0 every token reads the one before it", "它前面的 token")
@statement("task.induction.about", "One head in layer 0 reads the previous token", "第 0 层的 head")
def induction_previous() -> Iterator[Bound]:
    yield at_least(
        "layer 0 on the previous token", read(look("induction"), "decoder.0.self", 0, "previous token").hits, 0.95
    )


@statement(
    "zoo.induction.about", "it reads the token that came after an earlier occurrence of the same letter", "同一字母"
)
@statement("task.induction.about", "reads the token that came after the same letter before", "同一字母")
def induction_after() -> Iterator[Bound]:
    found = read(look("induction"), "decoder.1.self", 0, "after the same symbol")
    yield at_least("layer 1 after an earlier occurrence", found.hits, 0.97)
    yield at_least("layer 1, mass there", found.mass, 0.9)


@statement("zoo.induction.about", "any of them where there are several", "其中任何一次")
def induction_any_of_them() -> Iterator[Bound]:
    seen = look("induction")

    def last(tokens: list[int]) -> list[tuple[int, int]]:
        earlier = {i: [j for j in range(i) if tokens[j] == tokens[i]] for i in range(len(tokens))}
        return [(i, places[-1] + 1) for i, places in earlier.items() if len(places) >= 3]

    several = read(seen, "decoder.1.self", 0, cells_of(seen, last))
    yield at_most("after the last of three or more", several.hits, 0.6)
    yield at_least("queries with three or more", several.n_queries, 1000)


@statement("zoo.induction.about", "A decoder with attention only, two layers of one head", "两层，每层一个 head")
@statement("zoo.induction.about", "3 to 20 different letters", "3 到 20 个不同字母")
def induction_limits() -> Iterator[Bound]:
    config = model_of("induction").config
    yield between("feed-forward width", config.d_ff, 0, 0)
    yield between("layers", config.n_layers, 2, 2)
    yield between("heads", config.n_heads, 1, 1)
    periods = [len(set(tokens)) for tokens, _ in look("induction").rows()]
    yield between("shortest pattern", min(periods), 3, 3)
    yield between("longest pattern", max(periods), 20, 20)
    yield at_least("accuracy", look("induction").score, 0.99)


TWIN = "induction-one-layer"


@statement("zoo.induction-one-layer.about", "with one layer less, trained in the same way", "少一层，训练方式相同")
@statement("task.induction-one-layer.about", "with one layer in place of two", "只有一层而不是两层")
def the_twin_has_one_layer_less() -> Iterator[Bound]:
    twin, whole = RECIPES[TWIN], RECIPES["induction"]
    yield between("layers", model_of(TWIN).config.n_layers, 1, 1)
    yield at_least("the same model otherwise", replace(model_of(TWIN).config, n_layers=2) == whole.model, 1)
    yield at_least("the same task and training", (twin.task, twin.training) == (whole.task, whole.training), 1)


@statement("zoo.induction-one-layer.about", "it spreads over many letters at once", "分散在许多字母上")
@statement(
    "task.induction-one-layer.about", "the head cannot look for the letter that follows", "无法寻找后面跟着的字母"
)
def the_twin_reads_many_letters() -> Iterator[Bound]:
    weights = look(TWIN).weights["decoder.0.self"][:, 0, 20:]  # queries that have read every letter, (B, T, Tk)
    yield at_most("largest weight, on average", weights.amax(-1).mean(), 0.2)
    yield at_most(
        "mass after the same letter", read(look(TWIN), "decoder.0.self", 0, "after the same symbol").mass, 0.3
    )


@statement("zoo.induction-one-layer.about", "the answer is a guess among them", "答案只是在其中猜一个")
@statement("task.induction-one-layer.about", "the answer stays a guess", "答案只能靠猜")
@statement("zoo.induction-one-layer.about", "two layers are right in the second round", "两层的模型从第二轮起答对")
def the_twin_guesses() -> Iterator[Bound]:
    yield at_most("accuracy of one layer", look(TWIN).score, 0.4)
    yield at_least("accuracy of two", look("induction").score, 0.99)


@statement("zoo.recall.about", "In layer 0 every digit reads the letter before it", "它前面的字母")
@statement("task.recall.about", "In layer 0 each digit reads its letter", "第 0 层中数字")
@statement("zoo.recall.about", "in layer 1 the letter asked for reads its digit", "被问到的字母")
@statement("task.recall.about", "in layer 1 the letter asked for reads its digit", "第 1 层")
def recall_pairs() -> Iterator[Bound]:
    seen = look("recall")
    yield at_least("layer 0, digit on its letter", read(seen, "decoder.0.self", 0, "key of the value").hits, 0.95)
    yield at_least("layer 1, letter on its digit", read(seen, "decoder.1.self", 0, "value of the key").hits, 0.95)


@statement("zoo.recall.about", "2 to 10 pairs of a letter and a digit", "2 到 10 对")
@statement("zoo.recall.about", "A decoder with attention only", "只有注意力")
def recall_limits() -> Iterator[Bound]:
    found = [length // 2 for length in lengths("recall", "?")]
    yield between("fewest pairs", min(found), 2, 2)
    yield between("most pairs", max(found), 10, 10)
    yield between("feed-forward width", model_of("recall").config.d_ff, 0, 0)
    yield at_least("accuracy", look("recall").score, 0.98)


@statement("zoo.addition.about", "heads read the two digits of the column that is being added", "那一列的两个数字")
@statement("task.addition.about", "the two digits of the column being added", "那一列的两个数字")
def addition_columns() -> Iterator[Bound]:
    seen = look("addition")
    found = {
        (site, head): read(seen, site, head, "digits of the column").hits
        for site in ("decoder.0.self", "decoder.1.self")
        for head in range(4)
    }
    yield at_least("heads on a digit of the column, of 8", sum(hits > 0.8 for hits in found.values()), 2)
    yield at_least("best head", max(found.values()), 0.95)


@statement("zoo.addition.about", "with three digits: 27+58=580 stands for 85", "27+58=580")
@statement("task.addition.about", "writes the sum last digit first", "结果从个位开始写")
def addition_is_written_backwards() -> Iterator[Bound]:
    seen, right = look("addition"), 0
    for row, (tokens, _) in enumerate(seen.rows()):
        a, b = seen.model.tokenizer.decode(tokens).split("=")[0].split("+")
        scored = seen.batch.targets[row] != IGNORE
        written = seen.model.tokenizer.decode(seen.logits[row].argmax(-1)[scored].tolist())
        right += len(a) == len(b) == 2 and written == f"{int(a) + int(b):03}"[::-1]
    yield at_least("sums written last digit first, three digits", right / len(seen.rows()), 0.98)


@statement("zoo.dates.about", "each digit of the answer reads the characters it comes from", "所对应的那些字符")
@statement("task.dates.about", "each digit of the answer should read the characters it comes from", "来自的字符")
def dates_read_their_source() -> Iterator[Bound]:
    yield from _source_of("dates", "source of the digit", 0.9)


@statement("zoo.dates.about", "a date from 1900 to 2099", "1900 到 2099 年")
def dates_limits() -> Iterator[Bound]:
    years = [int(model_of("dates").tokenizer.decode(tokens)[:4]) for tokens, _ in look("dates").rows()]
    yield between("first year", min(years), 1900, 1920)
    yield between("last year", max(years), 2080, 2099)
    yield at_least("exact match", look("dates").score, 0.97)


@statement("task.dates-lstm.about", "the decoder's state before each step is the query", "每一步之前的解码器状态")
def dates_lstm_reads_its_source() -> Iterator[Bound]:
    yield from _source_of("dates-lstm", "source of the digit", 0.8)
    yield between("additive", float(model_of("dates-lstm").config.attention == "additive"), 1, 1)


def _source_of(name: str, pattern: str, share: float) -> Iterator[Bound]:
    """In most queries some head has more than half of its weight where the output comes from."""
    seen, site = look(name), "decoder.0.cross"
    most = []
    for row, cells in enumerate(pattern_cells(seen, site, pattern)):
        if cells is not None:
            weights = seen.weights[site][row, :, : cells.shape[0], : cells.shape[1]]
            most.append((weights * cells).sum(-1).amax(0)[cells.any(1)])
    yield at_least("queries with a head that has more than half there", (torch.cat(most) > 0.5).float().mean(), share)
