"""The shipped models: small, what their recipes say, and as good as their cards say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import attnviz
from attnviz import locale
from attnviz.errors import ModelNotFound
from attnviz.models.bundle import CONFIG_FILE, WEIGHTS_FILE
from attnviz.models.transformer import Transformer
from attnviz.tasks import Baseline, Task
from attnviz.training import RECIPES, evaluate
from attnviz.zoo import FOLDER, ORDER, zoo, zoo_path

FRESH_SEED = 987_654_321  # of test data that nothing else uses

FITTED = 0.005  # a rule that is fitted rounds otherwise on another processor: of 1,024 examples, five

each_model = pytest.mark.parametrize("name", ORDER)


def test_the_zoo_lists_itself_without_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(Transformer, "__init__", refuse)
    entries = zoo()
    assert [entry.name for entry in entries] == list(ORDER)
    assert {entry.architecture for entry in entries} == {"encoder", "decoder", "encoder-decoder"}
    for entry in entries:
        assert isinstance(entry.example, tuple) == (entry.architecture == "encoder-decoder")


def test_folders_recipes_and_list_agree() -> None:
    folders = {path.name for path in FOLDER.iterdir() if (path / CONFIG_FILE).is_file()}
    assert folders == set(ORDER) <= set(RECIPES)


def test_sizes() -> None:
    sizes = [sum(file.stat().st_size for file in zoo_path(name).iterdir()) for name in ORDER]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 12_000_000
    for name in ORDER:
        assert {file.name for file in zoo_path(name).iterdir()} == {CONFIG_FILE, WEIGHTS_FILE}


@each_model
def test_the_stored_configuration_is_that_of_the_recipe(name: str) -> None:
    recipe, model = RECIPES[name], attnviz.load_model(f"zoo/{name}")
    assert model.config == recipe.model
    assert model.tokenizer == recipe.task.tokenizer
    assert model.source_tokenizer == recipe.task.source_tokenizer
    baselines = [Baseline(*each) for each in model.card.baselines]
    card = model.card
    assert card == recipe.bundle(model.network, card.score, baselines, card.judged, card.interval).card
    assert model.labels == recipe.task.labels
    entry = next(entry for entry in zoo() if entry.name == name)
    assert entry.size == model.network.n_parameters
    assert entry.example == model.card.examples[0]


@each_model
def test_the_metric_is_reached_on_fresh_test_data(name: str) -> None:
    recipe, model = RECIPES[name], attnviz.load_model(f"zoo/{name}")
    is_stories = recipe.task.name == "stories"
    result = evaluate(model.network, recipe.task, "test", 64 if is_stories else 1024, FRESH_SEED)
    metric = recipe.task.metric
    assert recipe.exempt or result.reaches(recipe.target, metric), result
    score = model.card.score
    drawn = 3 * (score * (1 - score) / result.n) ** 0.5 if metric == "exact match" else 0.0  # three standard errors
    near = 0.03 if is_stories else 0.06 if recipe.exempt else max(0.01, drawn)  # one that guesses depends on the data
    assert result.score(metric) == pytest.approx(model.card.score, abs=near)


def with_the_same_baselines() -> list[list[str]]:
    """The models that have any, those of one task and seed together."""
    found: dict[tuple[Task, int], list[str]] = {}
    for name in ORDER:
        recipe = RECIPES[name]
        if type(recipe.task).baselines is not Task.baselines:
            found.setdefault((recipe.task, recipe.seed), []).append(name)
    return [*found.values()]


@pytest.mark.parametrize("names", with_the_same_baselines(), ids=" ".join)
def test_the_baselines_of_a_card_can_be_computed_again(names: list[str]) -> None:
    recipe = RECIPES[names[0]]
    computed = [(each.name, pytest.approx(each.score, abs=FITTED)) for each in recipe.task.baselines(recipe.seed)]
    for name in names:
        assert attnviz.load_model(f"zoo/{name}").card.baselines == tuple(computed)


@each_model
def test_a_card_says_what_its_score_was_computed_on(name: str) -> None:
    """A finite collection whole, and an interval around the score wherever answers are counted."""
    recipe, card = RECIPES[name], attnviz.load_model(f"zoo/{name}").card
    items = recipe.task.items()
    assert card.judged == (recipe.test_size if items is None else len(items.tokens))
    assert (card.interval is None) == (recipe.task.metric in ("nats per symbol", "R2"))
    if card.interval is not None:
        low, high = card.interval
        assert 0 <= low <= card.score <= high <= 1
        assert high - low > 2e-4


@each_model
def test_examples_are_answered_right(name: str) -> None:
    """The model itself writes the answer that each example shows."""
    model = attnviz.load_model(f"zoo/{name}")
    for example in model.card.examples:
        source, target = example if isinstance(example, tuple) else (example, "")
        trace = attnviz.trace(model, source, target or None)
        assert all(entry.max_abs_error < 1e-4 for entry in trace.proof())
        assert all(layer.error < 1e-4 for layer in trace.states())
        if name == "dates":
            assert attnviz.generate(model, source) == target
        if name == "sort":
            letters = source.split(" >")[0]
            assert attnviz.generate(model, f"{letters} >") == f"{letters} > {' '.join(sorted(letters.split()))}"
        if name == "addition":
            a, b = source.split("=")[0].split("+")
            assert attnviz.generate(model, f"{a}+{b}=") == f"{a}+{b}={f'{int(a) + int(b):03}'[::-1]}"
        if name == "reverse":
            answer = trace.logits.argmax(-1).tolist()[:-1]
            assert model.tokenizer.decode(answer) == " ".join(source.split()[::-1])
        if name == "recall":
            symbols, asked = source.split(" ? ")[0].split(), source.split()[-1]
            value = symbols[symbols.index(asked) + 1]
            assert attnviz.generate(model, source, max_new=1) == f"{source} {value}"
        if name == "induction":
            symbols = source.split()
            period = symbols.index(symbols[0], 1)
            assert attnviz.generate(model, source, max_new=1).split()[-1] == symbols[len(symbols) % period]


@pytest.mark.parametrize("name", ["nothing", "", "..", "../zoo/reverse", "reverse/../sort", "__pycache__"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ModelNotFound):
        zoo_path(name)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_model_is_described(language: str) -> None:
    catalogue = json.loads((Path(attnviz.__file__).parent / "locale" / language / "zoo.json").read_text("utf-8"))
    named = {key.split(".")[1] for key in catalogue}
    assert set(catalogue) == {f"zoo.{name}.{part}" for name in named for part in ("title", "about")}
    assert named <= set(ORDER)
    for name in set(ORDER) - named:
        assert all(locale.has(language, f"task.{name}.{part}") for part in ("title", "about")), name
