"""Generative summary: one line about a match, from a record of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Baseline, Batch, Split, Task, draw, python_random, words
from attnviz.tasks.language.pairs import pair_batch
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Headline", "headline"]

TEAMS = words(
    "bears bulls cobras eagles falcons foxes giants hawks lions panthers pirates ravens rovers sharks stars stags "
    "tigers titans united wolves"
)
CITIES = words("athens berlin cairo delhi dublin geneva lima lisbon london madrid oslo paris prague quito rome vienna")
DAYS = words("monday tuesday wednesday thursday friday saturday sunday")
DIGITS = tuple("0123456789")
NEEDED = words("team rival goals against")
VALUES = {
    "team": TEAMS,
    "rival": TEAMS,
    "goals": DIGITS,
    "against": DIGITS,
    "city": CITIES,
    "day": DAYS,
    "corners": DIGITS,
    "cards": DIGITS,
}
"""Fields of a record and what they can say; of the last two no headline tells."""
ASIDE = {"city": "in", "day": "on"}  # fields that come last in a headline, where the record has them
EDGE, CRUSH = 1, 4  # goals ahead: a narrow victory, and a high one from there on

Record = Mapping[str, str]


def headline(record: Record) -> list[tuple[str, str]]:
    """Return the words of the line about a match, each with the field that it is copied from, "" for none.

    Example:
        >>> record = {"team": "lions", "rival": "bears", "goals": "3", "against": "1", "city": "oslo"}
        >>> " ".join(word for word, field in headline(record))
        'lions beat bears 3 : 1 in oslo'
    """
    line = [(record["team"], "team"), *((word, "") for word in _verb(record).split()), (record["rival"], "rival")]
    line += [(record["goals"], "goals"), (":", ""), (record["against"], "against")]
    for field, preposition in ASIDE.items():
        if field in record:
            line += [(preposition, ""), (record[field], field)]
    return line


def _verb(record: Record) -> str:
    ahead = int(record["goals"]) - int(record["against"])
    if ahead <= 0:
        return "lose to" if ahead else "draw with"
    return "edge" if ahead == EDGE else "crush" if ahead >= CRUSH else "beat"


def read_record(text: Sequence[str]) -> dict[str, int]:
    """Return the fields of a written record -> the position of what they say; {} if it is none.

    Example:
        >>> read_record("team : lions | goals : 3".split())
        {'team': 2, 'goals': 6}
    """
    found = {text[start]: start + 2 for start in range(0, len(text), 4) if start + 2 < len(text)}
    rest = [word for place, word in enumerate(text) if place % 4 in (1, 3)]
    is_record = (
        len(text) % 4 == 3 and rest == [":", "|"] * (len(text) // 4) + [":"] and len(found) == len(text) // 4 + 1
    )
    return found if is_record and all(text[at] in VALUES.get(field, ()) for field, at in found.items()) else {}


@dataclass(frozen=True)
class Headline(Task):
    """An encoder-decoder reads the record of a match and writes one line: who has won, against whom, the score.

        source  goals : 2 | city : oslo | team : lions | cards : 5 | against : 3 | rival : bears
        read    <bos> lions lose to bears 2 : 3 in oslo
        write   lions lose to bears 2 : 3 in oslo <eos>

    Fields come in any order; city and day may be missing, corners and cards are not told. The verb follows from the two
    numbers: "edge" for 1 goal ahead, "beat" for 2 or 3, "crush" for 4 and more, "draw with", "lose to".

    Example:
        >>> task = Headline()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.source_tokenizer.decode(batch.source[0].tolist())
        'team : rovers | cards : 5 | corners : 7 | goals : 4 | city : vienna | rival : cobras | against : 3'
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'rovers edge cobras 4 : 3 in vienna'
    """

    name = "headline"
    architecture = "encoder-decoder"
    metric = "exact match"
    tokenizer = Tokenizer(  # teams, cities, days, digits and what is between them, `<bos>` in front
        "symbols", (*TEAMS, *CITIES, *DAYS, *DIGITS, *words("beat edge crush draw with lose to : in on")), add_bos=True
    )
    # the names of the fields and what they say
    source_tokenizer = Tokenizer("symbols", (*VALUES, ":", "|", *TEAMS, *CITIES, *DAYS, *DIGITS))
    typed = (  # records to type, each with its line
        ("team : lions | rival : bears | goals : 3 | against : 1 | city : oslo", "lions beat bears 3 : 1 in oslo"),
        (
            "against : 3 | day : sunday | rival : foxes | cards : 4 | team : eagles | goals : 2",
            "eagles lose to foxes 2 : 3 on sunday",
        ),
        (
            "city : lima | goals : 5 | rival : titans | against : 0 | team : hawks | day : friday | corners : 7",
            "hawks crush titans 5 : 0 in lima on friday",
        ),
        ("rival : wolves | team : united | goals : 2 | against : 2", "united draw with wolves 2 : 2"),
    )

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n records. Split by the two teams, whichever comes first: who has met in a test never met in training."""
        teams = draw(n, split, lambda count: self._candidates(count, generator))  # (B, 2)
        random = python_random(generator)
        records = [self._record([TEAMS[team] for team in pair], random) for pair in teams.tolist()]
        pairs = [(self._write(record, random), [word for word, _ in headline(record)]) for record in records]
        return pair_batch(pairs, self.source_tokenizer, self.tokenizer)

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, len(TEAMS), generator=generator).argsort(1)[:, :2].sort(1).values

    def _record(self, teams: list[str], random: Random) -> Record:
        random.shuffle(teams)
        told = [field for field in VALUES if field in NEEDED or random.random() < 0.5]
        record = {field: random.choice(VALUES[field]) for field in told} | dict(zip(NEEDED, teams, strict=False))
        return record | {"against": record["goals"]} if random.random() < 0.1 else record  # else draws are rare

    def _write(self, record: Record, random: Random) -> list[str]:
        fields = random.sample(list(record), k=len(record))
        return " | ".join(f"{field} : {record[field]}" for field in fields).split()

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect copied words to be read where they stand, and the verb from both numbers.

        As long as what is written so far is the headline of the record.
        """
        assert source is not None, "an encoder-decoder reads a source"
        text = [self.source_tokenizer.label(token) for token in source]
        places = read_record(text)
        line = headline({field: text[at] for field, at in places.items()}) if set(NEEDED) <= places.keys() else []
        agreed = 0
        while agreed < min(len(line), len(tokens) - 1) and self.tokenizer.label(tokens[agreed + 1]) == line[agreed][0]:
            agreed += 1
        due = line[: agreed + 1]
        copied = [(place, places[field]) for place, (_, field) in enumerate(due) if field]
        compared = [(1, places[field]) for field in ("goals", "against") if len(due) > 1]
        return (
            Pattern.of("value of the field", copied, tokens, source),
            Pattern.of("both scores", compared, tokens, source),
        )

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return every field copied to its place around the commonest verb: nothing is compared."""
        generator = Generator().manual_seed(seed)
        trained = self._records(2048, generator, "train")
        commonest = Counter(map(_verb, trained)).most_common(1)[0][0]
        judged = self._records(2048, generator, "test")
        right = sum(_verb(record) == commonest for record in judged)
        return (Baseline("fields without comparing", right / len(judged)),)

    def _records(self, n: int, generator: Generator, split: Split) -> list[dict[str, str]]:
        source = self.sample(n, generator, split).source
        assert source is not None
        texts = [self.source_tokenizer.decode(row).split() for row in source.tolist()]
        return [{field: text[at] for field, at in read_record(text).items()} for text in texts]

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A record that names the teams and their goals."""
        return {"team", "rival", "goals", "against"} <= read_record(symbols).keys()

    def model_config(self) -> ModelConfig:
        """Two layers each side: the encoder tells what belongs to which field, the decoder looks it up."""
        return self.transformer(12, source_max_len=4 * len(VALUES))
