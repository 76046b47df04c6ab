"""Scores of written texts against the right ones: exact match, chrF and BLEU by sacrebleu, ROUGE by rouge-score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["TextScores", "Words", "closeness", "text_scores"]

ROUGES = ("rouge1", "rouge2", "rougeL")
EAST_ASIAN = (
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"  # kana and Han characters, written without blanks
)
TOKEN = re.compile(rf"{EAST_ASIAN}|[^\W_]+?(?={EAST_ASIAN})|[^\W_]+")
SHORTEST = 4  # tokens: BLEU counts groups of so many


class Words:
    """Words for ROUGE: runs of letters and digits in small letters, Han characters and kana each alone.

    Of texts in ASCII they are those that rouge-score's own tokenizer finds, which knows no others.

    Example:
        >>> Words().tokenize("The cat's 2 hats: 两顶帽子")
        ['the', 'cat', 's', '2', 'hats', '两', '顶', '帽', '子']
    """

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text."""
        return TOKEN.findall(text.lower())


@dataclass(frozen=True)
class TextScores:
    """Scores of some texts.

    Attributes:
        n: texts.
        exact: share of texts that are the right one, character by character.
        chrf: chrF2, the F-score of groups of one to six characters, 0 to 100.
        bleu: BLEU, 0 to 100; None where no right text has four tokens, for then it is 0 whatever is written.
        rouge: mean F1 of ROUGE-1, ROUGE-2 and ROUGE-L, 0 to 1.
        signatures: how sacrebleu computed chrF and BLEU, to be given beside a score that is published.
    """

    n: int
    exact: float
    chrf: float
    bleu: float | None
    rouge: dict[str, float]
    signatures: tuple[str, str]


def text_scores(written: Sequence[str], targets: Sequence[str]) -> TextScores:
    """Score written texts, one right text each.

    BLEU's tokens are those of "13a", of Chinese ones "zh".

    Source:
        chrF: Popović 2015; BLEU: Papineni et al. 2002, computed as Post 2018 says; ROUGE: Lin 2004.
    """
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    east_asian = sum(bool(re.search(EAST_ASIAN, text)) for text in targets) * 2 > len(targets)
    chrf, bleu = CHRF(), BLEU(tokenize="zh" if east_asian else "13a")
    references = [list(targets)]
    found = bleu.corpus_score(list(written), references)
    tokens = (len(bleu.tokenizer(text).split()) for text in targets)
    rouge = RougeScorer([*ROUGES], tokenizer=Words())
    each = [rouge.score(target, text) for target, text in zip(targets, written, strict=True)]
    return TextScores(
        n=len(targets),
        exact=sum(a == b for a, b in zip(written, targets, strict=True)) / len(targets),
        chrf=chrf.corpus_score(list(written), references).score,
        bleu=found.score if max(tokens) >= SHORTEST else None,
        rouge={name: sum(score[name].fmeasure for score in each) / len(each) for name in ROUGES},
        signatures=(str(chrf.get_signature()), str(bleu.get_signature())),
    )


def closeness(written: str, target: str) -> float:
    """Return chrF2 of one text, 0 to 100."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().sentence_score(written, [target]).score)
