"""Named entities: tags judged another way, unseen names and sentences in the test, F1 counted by hand."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Generator

from attnviz.tasks.base import IGNORE, SPLITS, Batch, Split
from attnviz.tasks.language.bio import Span, is_tag, spans
from attnviz.tasks.language.entities import SEEN, TYPES, VERB_WORDS, Entities
from attnviz.tasks.language.entities_grammar import (
    ASIDES,
    FORMS,
    MONTHS,
    NAMES,
    OPENINGS,
    SUBJECTS,
    TAILS,
    VERBS,
    YEARS,
)

TASK = Entities()


def drawn(n: int, split: Split = "train", seed: int = 3) -> list[tuple[list[str], list[str]]]:
    """Words and tags of sentences."""
    batch = TASK.sample(n, Generator().manual_seed(seed), split)
    rows = zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True)
    return [(TASK.tokenizer.decode(tokens).split(), TASK.tags(targets)) for tokens, targets in rows]


def any_of(texts: object) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, texts), key=len, reverse=True)) + ")"  # type: ignore[call-overload]


def entity(kind: str) -> str:
    """A regular expression of an entity."""
    slots = {slot: any_of([*names, "<unk>"]) for slot, names in NAMES.items()}
    slots |= {"month": any_of(MONTHS), "year": any_of(YEARS)}
    return any_of_parts([re.sub(r"\{(\w+)\}", lambda m: slots[m[1]], form) for form in FORMS[kind]])


def any_of_parts(parts: list[str]) -> str:
    return "(?:" + "|".join(sorted(set(parts), key=len, reverse=True)) + ")"


def template(text: str) -> str:
    """A regular expression of a part, with brackets around its entities."""
    escaped = re.escape(text).replace(r"\{", "{").replace(r"\}", "}")
    return re.sub(r"\{(\w+)\}", lambda m: f"<{m[1]} {entity(m[1])}>", escaped)


def marked(words: list[str], tags: list[str]) -> str:
    """A sentence with its entities in brackets: "<PER Anna Keller> wrote to <PER Wei>"."""
    starts = {span.start: span for span in spans(tags)}
    ends = {span.end for span in spans(tags)}
    out = []
    for i, word in enumerate(words):
        out.append((f"<{starts[i].type} " if i in starts else "") + word + (">" if i + 1 in ends else ""))
    return " ".join(out)


def test_tags_are_right() -> None:
    """Every sentence is one that the grammar can make, with brackets where it has entities."""
    clauses = []
    for kind in VERBS:
        subject = any_of_parts([template(text) for of, text in SUBJECTS if of == kind])
        clauses.append(
            f"{subject}{any_of_parts([' ' + template(a) if a else '' for a in ASIDES])} "
            f"{any_of_parts([template(v) for v in VERBS[kind]])}"
        )
    opening = any_of_parts([template(text) + " " if text else "" for text in OPENINGS])
    tail = any_of_parts([" " + template(text) if text else "" for text in TAILS])
    sentence = re.compile(f"{opening}{any_of_parts(clauses)}{tail}")
    for words, tags in drawn(400) + drawn(400, "test"):
        assert len(words) == len(tags)
        assert sentence.fullmatch(marked(words, tags)), marked(words, tags)


def test_the_same_name_is_of_several_types() -> None:
    kinds: dict[str, set[str]] = {}
    for words, tags in drawn(3000):
        for word, tag in zip(words, tags, strict=True):
            kinds.setdefault(word, set()).add(tag[2:])
    assert kinds["Georgia"] >= {"PER", "LOC", "ORG"}
    assert kinds["May"] >= {"PER", "TIME"}
    assert kinds["<unk>"] == {"PER", "LOC", "ORG"}
    assert len([name for name in SEEN if len(kinds[name]) > 1]) > 10


def skeleton(words: list[str], tags: list[str]) -> str:
    """A sentence with its types in place of entities."""
    return re.sub(r"<(\w+) [^>]*>", r"\1", marked([word.strip("<>") for word in words], tags))


def test_no_sentence_of_the_test_is_built_as_one_of_training() -> None:
    sides = [{skeleton(*row) for row in drawn(4000, split)} for split in SPLITS]
    assert len(sides[2]) > 500
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_half_of_the_names_are_unseen() -> None:
    for names in NAMES.values():
        assert 0.3 <= sum(name in SEEN for name in names) / len(names) <= 0.7
    everything = {name for names in NAMES.values() for name in names}
    assert {word for words, _ in drawn(3000) for word in words} & everything == SEEN
    assert set(TASK.tokenizer.symbols) & everything == SEEN
    for split, low, high in (("train", 0.2, 0.4), ("validation", 0.4, 0.6), ("test", 0.4, 0.6)):
        rows = drawn(1000, split)  # type: ignore[arg-type]
        names = [word for words, _ in rows for word in words if word == "<unk>" or word in everything - set(MONTHS)]
        assert low < names.count("<unk>") / len(names) < high


def test_the_generator_alone_decides() -> None:
    assert drawn(20) == drawn(20)
    assert drawn(20) != drawn(20, seed=4)


def test_batches_fit_the_models() -> None:
    for split in SPLITS:
        batch = TASK.sample(2000, Generator().manual_seed(1), split)
        assert batch.tokens.shape == batch.targets.shape
        assert batch.tokens.shape[1] <= TASK.model_config().max_len == TASK.recurrent_config().max_len
        assert bool((batch.targets[:, 0] == IGNORE).all())
        assert torch.equal(batch.padding, batch.tokens != 0)
        assert torch.equal(batch.padding[:, 1:], batch.targets[:, 1:] != IGNORE)
    assert TASK.model_config().n_outputs == TASK.recurrent_config().n_outputs == len(TASK.labels) == 9


def test_verbs_tell_the_type() -> None:
    firsts = {kind: {verb.split()[0] for verb in verbs} for kind, verbs in VERBS.items()}
    assert len(VERB_WORDS) == sum(map(len, firsts.values()))
    assert len({len(verbs) for verbs in VERBS.values()}) == 1
    others = (*OPENINGS, *ASIDES, *TAILS, *(text for _, text in SUBJECTS))
    assert not VERB_WORDS & {word for text in others for word in text.split()}


@pytest.mark.parametrize("text", Entities().texts())
def test_examples_can_be_typed(text: object) -> None:
    assert text in TASK.examples()
    assert TASK.tokenizer.decode(TASK.tokenizer.encode(str(text))) == text


@pytest.mark.parametrize(
    ("text", "verb", "subject"),
    [
        ("Anna wrote to Wei", "wrote", "Anna"),
        ("Anna Keller , it seems , wrote to Wei", "wrote", "Anna Keller"),
        ("in May , Bank of <unk> , to tell the truth , merged with Ford", "merged", "Bank of <unk>"),
        ("far away from Oslo , <unk> cried all night in May", "cried", "<unk>"),
        ("the village Oslo , it seems , belongs to London", "belongs", ""),
        ("in May , the lawyer Anna hired Wei", "hired", ""),
        ("Oslo and nothing else", "", ""),
        ("wrote", "wrote", ""),
        (", , wrote", "wrote", ""),
    ],
)
def test_a_subject_should_read_its_verb(text: str, verb: str, subject: str) -> None:
    words = text.replace("and nothing else", ", it seems ,").split()
    tokens = TASK.tokenizer.encode(" ".join(words))
    (pattern,) = TASK.expected(tokens)
    pairs = pattern.reads.nonzero().tolist()
    assert " ".join(words[query - 1] for query, _ in pairs) == subject
    assert {words[key - 1] for _, key in pairs} == ({verb} if subject else set())


def test_every_bare_subject_has_a_pattern() -> None:
    for words, tags in drawn(500, "test"):
        tokens = TASK.tokenizer.encode(" ".join(words))
        queries = {query - 1 for query, _ in TASK.expected(tokens)[0].reads.nonzero().tolist()}
        if queries:
            assert Span(min(queries), max(queries) + 1, spans(tags)[0].type)[:2] in [span[:2] for span in spans(tags)]


def test_f1_is_of_whole_entities() -> None:
    """Half of a name is no name, and one that goes on too long is none either."""
    place = {tag: index for index, tag in enumerate(TASK.labels)}
    true = ["B-PER", "I-PER", "O", "B-LOC", "B-ORG"]
    targets = torch.tensor([[IGNORE, *(place[tag] for tag in true), IGNORE]])

    def tally(said: list[str]) -> torch.Tensor:
        outputs = torch.tensor([[1, *(place[tag] for tag in said), 1]])  # B-PER where nothing is scored
        logits = torch.nn.functional.one_hot(outputs, len(TASK.labels)).float()
        return TASK.tally(logits, Batch(targets.clamp_min(0), targets))

    assert tally(["B-PER", "O", "B-TIME", "B-LOC", "I-LOC"]).tolist() == [0, 3, 3]
    counts = tally(["B-PER", "O", "B-TIME", "B-LOC", "B-ORG"])
    assert counts.tolist() == [2, 4, 3]
    assert TASK.score(counts) == TASK.score(counts * 2) == pytest.approx(4 / 7)
    assert TASK.score(torch.zeros(3, dtype=torch.float64)) == 0.0


def test_context_is_needed() -> None:
    scores = dict(TASK.baselines())
    assert 0.3 < scores["tag of the word"] < 0.5
    assert scores["tag of the word"] < scores["word and neighbours"] < 0.92


def test_types_are_those_of_the_forms() -> None:
    assert TYPES == ("PER", "LOC", "ORG", "TIME")
    assert all(map(is_tag, TASK.labels))
