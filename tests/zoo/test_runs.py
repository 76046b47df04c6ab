"""The recorded runs that come along: they are what their configurations say, and show what they are there for."""

import pytest

import attnviz
from attnviz.tasks import IGNORE
from attnviz.tasks.base import CHUNK, seeded
from attnviz.training import RECIPES, Run, RunConfig, RunState, evaluate
from attnviz.training.engine.loop import SAMPLES, forward, loss_sum
from attnviz.training.run.probe import attention_weights
from attnviz.zoo import EXAMPLE_RUNS
from attnviz.zoo.record import KEPT, MOMENTS, RECORDED, recorded_name


@pytest.fixture(scope="module")
def run() -> Run:
    return Run.open(EXAMPLE_RUNS / "grokking")


def test_it_is_done_and_whole(run: Run) -> None:
    assert (run.state().state, run.state().step) == ("done", 1500)
    assert [line.step for line in run.metrics()] == list(range(1, 1501))
    assert run.timeline().steps[-1] == run.checkpoints()[-1] == 1500
    assert set(run.timeline().weights(1500)[0]) == {"decoder.0.self"}


def test_it_learns_by_heart_first_and_the_rule_much_later(run: Run) -> None:
    looked = [(m.step, m.accuracy or 0.0, m.validation.accuracy) for m in run.metrics() if m.validation]
    by_heart = next(step for step, trained, _ in looked if trained > 0.99)
    the_rule = next(step for step, _, held_out in looked if held_out > 0.99)
    assert the_rule > 2.5 * by_heart
    assert next(held_out for step, _, held_out in looked if step == by_heart) < 0.05


def test_the_spectrum_gathers_in_few_frequencies(run: Run) -> None:
    spectra = [m.spectrum for m in run.metrics() if m.spectrum is not None]
    first, last = (sum(sorted(spectrum)[-8:]) for spectrum in (spectra[0], spectra[-1]))
    assert first < 0.5
    assert last > 0.75


def test_its_last_checkpoint_is_the_network_that_was_judged(run: Run) -> None:
    recorded = run.metrics()[-1].validation
    assert recorded is not None
    network, task, settings = run.network(1500), run.config.task, run.config.training
    generator = seeded(settings.seed, "validation")  # pairs were drawn when the run was recorded, not listed
    loss, scored, right = 0.0, 0, 0
    for start in range(0, settings.validation_size, CHUNK):
        batch = task.sample(min(CHUNK, settings.validation_size - start), generator, "validation")
        logits, wanted = forward(network.eval(), batch), batch.targets != IGNORE
        loss += loss_sum(logits, batch).item()
        scored += int(wanted.sum())
        right += int((logits.argmax(-1) == batch.targets)[wanted].sum())
    assert right / scored == pytest.approx(recorded.accuracy, abs=0.01)
    assert loss / scored == pytest.approx(recorded.loss, rel=1e-3)


def test_it_opens_by_its_name() -> None:
    model = attnviz.load_model("run/grokking@500")
    assert max(entry.max_abs_error for entry in attnviz.trace(model, "40 + 20 =").proof()) < 1e-5


@pytest.fixture(scope="module", params=RECORDED)
def recorded(request: pytest.FixtureRequest) -> Run:
    return Run.open(EXAMPLE_RUNS / recorded_name(request.param))


def test_a_recorded_recipe_is_that_recipe(recorded: Run) -> None:
    """So that who presses Play with its settings is shown it."""
    recipe = RECIPES[recorded.config.recipe]
    assert recorded.name == recorded_name(recipe.name)
    assert recorded.config.digest == RunConfig.of_recipe(recipe).digest
    assert recorded.state() == RunState("done", recorded.metrics()[-1].step)
    assert [line.step for line in recorded.metrics()] == list(range(1, recorded.state().step + 1))
    assert recorded.timeline().steps[:4] == (0, 1, 2, 5)
    assert recorded.timeline().steps[-1] == recorded.checkpoints()[-1] == recorded.state().step


def test_a_recorded_recipe_is_small(recorded: Run) -> None:
    files = {path for path in recorded.folder.rglob("*") if path.is_file()}
    steps = [*MOMENTS.get(recorded.config.recipe, ()), recorded.state().step]
    assert recorded.checkpoints() == steps
    assert files == {recorded.folder / name for name in KEPT} | {*map(recorded.checkpoint_path, steps)}
    assert sum(path.stat().st_size for path in files) < 1_100_000


def test_a_recorded_recipe_shows_its_network(recorded: Run) -> None:
    """The last frame of attention, the last answers and scores are those of the last checkpoint."""
    step, settings = recorded.state().step, recorded.config.training
    network = recorded.network(step).eval()
    for batch, frame in zip(recorded.probe(), recorded.timeline().weights(step), strict=True):
        for site, weights in attention_weights(network, batch).items():
            assert (frame[site].float() / 255 - weights).abs().max() < 0.01
    judged = evaluate(network, recorded.config.task, "validation", settings.validation_size, settings.seed, SAMPLES)
    line = recorded.metrics()[-1].validation
    assert line is not None
    assert judged.accuracy == pytest.approx(line.accuracy, abs=0.01)
    assert judged.loss == pytest.approx(line.loss, rel=0.01, abs=1e-4)
    assert judged.reaches(RECIPES[recorded.config.recipe].target or 0.0, recorded.config.task.metric)
