"""The texts that a trained encoder-decoder writes, and their scores, on the terminal."""

from __future__ import annotations

import argparse
import json

from attnviz.analysis.pair_report import PairReport, held_out_pairs, pair_report
from attnviz.cli.common import SUCCESS, CommandError
from attnviz.cli.text import printable, shorten
from attnviz.locale import t
from attnviz.tasks import OwnPairs
from attnviz.tasks.own.readers.pair_rows import pair_columns, read_pairs
from attnviz.tasks.own.readers.workbooks import read_table
from attnviz.training import Run

__all__ = ["MOST_SCORED", "evaluate_pairs", "tell_texts"]

MOST_SCORED = 512
SEED = 20_011  # of the test sequences that are drawn, as on the Applications page
SHOWN = 10  # wrong answers
WIDTH = 60


def evaluate_pairs(run: Run, step: int, options: argparse.Namespace) -> int:
    """Judge a checkpoint on its test pairs, or on a file of others.

    Raises:
        CommandError: the run writes no texts of a source.
        InputError: the file cannot be read.
    """
    task = run.config.task
    if task.architecture != "encoder-decoder":
        raise CommandError(f"the run {run.name} is neither a fine-tuned one nor one that writes texts of a source")
    if options.data is None:
        pairs = held_out_pairs(task, MOST_SCORED, SEED)
    else:
        turns = task.turns if isinstance(task, OwnPairs) else 0
        content = read_table(options.data, options.encoding).text
        reading = pair_columns(content, options.text, options.label)
        pairs = [(pair.source, pair.target) for pair in read_pairs(content, turns, **reading)]
    found = pair_report(task, run.network(step), pairs)
    if options.json:
        print(json.dumps({"run": run.name, "step": step, **found.to_dict()}, ensure_ascii=False, indent=1))
        return SUCCESS
    tell_texts(found)
    for answer in found.answers[:SHOWN]:
        if answer.written != answer.target:
            said = (printable(shorten(text, WIDTH)) for text in (answer.source, answer.written, answer.target))
            print("chrF {:.0f}: {} -> {} (right: {})".format(answer.chrf, *said))
    return SUCCESS


def tell_texts(found: PairReport) -> None:
    """Print the scores of written texts."""
    scores = found.scores
    bleu = "" if scores.bleu is None else f", BLEU {scores.bleu:.1f}"
    rouge = "".join(f", {t('en', f'texts.{name}')} {value:.3f}" for name, value in scores.rouge.items())
    print(f"written texts: exact match {scores.exact:.4f}, chrF {scores.chrf:.1f}{bleu}{rouge} on {scores.n:,} texts")
    if found.unknown:
        print(
            f"note: unknown tokens copied from the source in {found.unknown:,} texts; without that exact match is "
            f"{found.exact:.4f}"
        )
    for signature in scores.signatures[: 1 if scores.bleu is None else 2]:
        print(f"sacrebleu: {signature}")
