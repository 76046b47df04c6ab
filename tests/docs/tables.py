"""The tables and the plan of the documentation, made from the code: `python -m tests.docs.tables` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Generator

import attnviz
from attnviz import locale
from attnviz.analysis.scores import rounded
from attnviz.models import AnyConfig, ModelCard, ModelConfig
from attnviz.models.bundle import read_config
from attnviz.models.recurrent_config import config_from_dict
from attnviz.tasks import Task
from attnviz.training import RECIPES
from attnviz.training.run.probe import sequences
from attnviz.zoo import zoo_path
from tests.docs.rooms import picture
from tests.huggingface.architectures import ARCHITECTURES, NO_EDIT, NO_SPLIT, SPLIT_ERRORS, held_to

DOCS = Path(__file__).parents[2] / "docs"
KINDS = {
    "vision": "image encoder",
    "two encoders": "text and image encoders",
    "labels": "encoder-decoder",
    "captions": "image to text",
    "sound": "sound encoder",
    "text and image": "decoder of text and image",
}


def zoo_table() -> str:
    """Return a row for each model that ships: its score on test data, and the best baseline without a network."""
    rows = [
        "| name | what it does | network | parameters | on test data | 95 % interval | judged on | without a network |",
        "|---|---|---|---:|---|---|---:|---|",
    ]
    for entry in attnviz.zoo():
        card = ModelCard.from_dict(read_config(zoo_path(entry.name))["card"])
        model = config_from_dict(read_config(zoo_path(entry.name))["model"])
        lower = entry.metric == "nats per symbol"
        best = (min if lower else max)((score for _, score in card.baselines), default=None)
        score = f"{entry.metric} {rounded(entry.score)}"
        interval = "" if card.interval is None else " to ".join(map(rounded, card.interval))
        on = f"{'all ' if RECIPES[entry.name].task.items() is not None else ''}{card.judged:,}"
        cells = (entry.name, entry.title, network(model), f"{entry.size:,}", score, interval, on)
        rows.append(f"| {' | '.join(cells)} | {'' if best is None else rounded(best)} |")
    return "\n".join(row.replace("|  |", "| |") for row in rows)


def network(model: AnyConfig) -> str:
    """Name a network in a few words."""
    if isinstance(model, ModelConfig):
        return f"Transformer, {model.architecture}"
    scores = next(
        (kind for kind in (model.attention, model.pooling) if kind not in ("none", "last", "mean", "max")), ""
    )
    attends = f" + {scores.replace('_', ' ')} attention" if scores else ""
    return f"{model.cell.upper()}{attends}, {model.architecture}"


def task_table() -> str:
    """Return a row for each recipe: its task, its target, and where attention is expected to look."""
    rows = ["| recipe | what is learned | target | expected attention |", "|---|---|---|---|"]
    for recipe in RECIPES.values():
        target = "none: a contrast" if recipe.exempt else f"{recipe.task.metric} {recipe.target:g}"
        rows.append(f"| {recipe.name} | {recipe.title} | {target} | {patterns(recipe.task)} |")
    return "\n".join(row.replace("|  |", "| |") for row in rows)


def patterns(task: Task) -> str:
    """Name the expected patterns of one test sequence."""
    row = sequences(task.sample(1, Generator().manual_seed(0), "test"), 1)[0]
    source = None if row.source is None else row.source[0].tolist()
    return ", ".join(pattern.name for pattern in task.expected(row.tokens[0].tolist(), source))


def architecture_table() -> str:
    """Return a row for each architecture that the tests hold to its own eager attention."""
    rows = [(a.name, KINDS.get(a.kind, a.kind), a.notes) for a in ARCHITECTURES]
    lines = ["| architecture | kind | its attention |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def edits_table() -> str:
    """Return a row for each architecture: which edits it takes, as the tests hold them to its own eager attention."""
    always = ("head_off", "cut", "temperature", "set_weights", "patch", "patch_stream")
    names = (*always, *NO_EDIT)
    takes = [[a.name, *("–" if a.name in NO_EDIT.get(name, ()) else "yes" for name in names)] for a in ARCHITECTURES]
    rows = [["architecture", *(f"`{name}`" for name in names)], ["---"] * (len(names) + 1), *takes]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def split_table() -> str:
    """Return a row for each architecture: what of it is split into what earlier parts wrote, and the largest errors of
    its scores, as the tests hold them."""
    rows = [["architecture", *NO_SPLIT, *(f"{name} at most" for name in SPLIT_ERRORS)]]
    rows += [["---"] * len(rows[0])]
    for each in ARCHITECTURES:
        errors = (f"{limit:g}" for limit in held_to(each.name).values())
        splits = ("refused" if each.name in names else "yes" for names in NO_SPLIT.values())
        rows.append([each.name, *splits, *("–" if each.name in NO_SPLIT["scores"] else error for error in errors)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def glossary_table() -> str:
    """Return a row for each term: in both languages, with what it means."""
    terms = zip(locale.glossary("en").values(), locale.glossary("zh").values(), strict=True)
    rows = [" | ".join((en.term, zh.term, f"{en.meaning}<br>{zh.meaning}")) for en, zh in terms]
    return "\n".join(["| English | 中文 | meaning |", "|---|---|---|", *(f"| {row} |" for row in rows)])


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "zoo": ("models.md", zoo_table),
    "tasks": ("tasks.md", task_table),
    "architectures": ("hugging-face.md", architecture_table),
    "edits": ("hugging-face.md", edits_table),
    "split": ("hugging-face.md", split_table),
    "glossary": ("glossary.md", glossary_table),
    "rooms": ("architecture.md", picture),
}
"""Each table by its name in the page's comments: the page, and the function that makes it."""


def parts(text: str, name: str) -> tuple[str, str, str]:
    """Split a page into the text before a table, the table, and the text after it."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = text.split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after


if __name__ == "__main__":
    for name, (page, table) in TABLES.items():
        before, _, after = parts((DOCS / page).read_text("utf-8"), name)
        (DOCS / page).write_text(f"{before}\n{table()}\n{after}", "utf-8")
