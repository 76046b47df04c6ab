"""The recorded run that comes along: it is what its configuration says, and it shows what it is there for."""

import pytest

import attnviz
from attnviz.tasks import IGNORE
from attnviz.tasks.base import CHUNK, seeded
from attnviz.training import Run
from attnviz.training.engine.loop import forward, loss_sum
from attnviz.zoo import EXAMPLE_RUNS


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
