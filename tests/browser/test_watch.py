"""The view of a training run in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from playwright.sync_api import BrowserContext, Locator, Page, expect

from attnviz import locale
from attnviz.analysis import score_heads
from attnviz.analysis.patterns import expected_reads
from attnviz.attention import Mask
from attnviz.errors import TrainingDiverged
from attnviz.models import AnyConfig
from attnviz.tasks import FirstSymbol, Reverse, Stories
from attnviz.training import RECIPES, Recording, Run, RunConfig, RunState, TrainConfig, record
from attnviz.training.run.process import ProcessId
from attnviz.view.modules import joined
from tests.browser.conftest import (
    SCHEMES,
    Open,
    address,
    addresses,
    at,
    click_row,
    expect_within,
    switch_language,
    tabs,
    until,
    view,
)
from tests.training.runs import small_run

STEPS = 40


@pytest.fixture(scope="module")
def learned(runs_folder: Path) -> Run:
    """A run that is done: two layers of two heads, two sequences that are watched."""
    run = small_run(runs_folder / "watch-learned", steps=STEPS)
    record(run)
    return run


@pytest.fixture
def bare(server: str, window: BrowserContext) -> Iterator[Page]:
    """A page on which requests may fail."""
    with tabs(window, addresses(server), forgiven="net::ERR_FAILED") as new_tab:
        yield new_tab(1200, 800)


def shown(page: Page, step: int | None = None) -> Locator:
    """The view, once its snapshots are there (and it stands at a step)."""
    root = view(page)
    expect(root).to_have_attribute("data-snapshots", re.compile(r"^[1-9]"))
    if step is not None:
        expect(root).to_have_attribute("data-step", str(step))
    return root


def sticking_out(root: Locator, but: str) -> list[str]:
    """The classes of what ends beyond the right side and is not inside of what may scroll."""
    found: list[str] = root.evaluate(
        "(root, but) => [...root.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
        " && !e.closest(but)).map(e => String(e.className))",
        but,
    )
    return found


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, f"watch.{key}", **params)


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name=say("time"))


def cells(page: Page) -> list[list[str]]:
    """The open table, without its headings."""
    rows = page.locator(".avp-dialog tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.querySelectorAll('th, td')].map(c => c.textContent))")


# What a timeline of the page unpacks: its steps, a snapshot that it forgot, and the newest.
UNPACK = """async ([news, modules]) => {
  const { Timeline } = await import(modules);
  const bytes = new Uint8Array(await (await fetch(news)).arrayBuffer());
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const timeline = new Timeline();
  await timeline.add(bytes.subarray(4 + size + header.metrics), () => {});
  timeline.kept.clear();
  const last = timeline.length - 1;
  const forgotten = await timeline.snapshot(last - 1);
  return [timeline.steps, [...forgotten], [...timeline.newest]];
}"""


def test_everything_that_was_recorded_is_there_and_scored_as_python_does(open_page: Open, learned: Run) -> None:
    timeline = learned.timeline()
    page = open_page(path="runs", run=learned.name)
    root = shown(page, STEPS)
    expect(root).to_have_attribute("data-snapshots", str(len(timeline.steps)))
    expect(root).to_have_attribute("data-state", "done")
    expect(page.locator("[data-chart=loss]")).to_have_attribute("data-points", str(STEPS))
    page.locator("[data-chart=loss]").get_by_role("button", name="Table").click()
    assert [float(row[1]) for row in cells(page)] == pytest.approx([m.loss for m in learned.metrics()], rel=0.01)
    page.keyboard.press("Escape")

    (pattern,) = learned.config.task.expected(learned.probe()[0].tokens[0].tolist())
    allowed = Mask().allowed(*pattern.reads.shape)
    for measure in ("mass", "hits"):
        page.locator(f"[data-measure={measure}]").click()
        page.locator("[data-chart=pattern-0]").get_by_role("button", name="Table").click()
        table = cells(page)
        page.keyboard.press("Escape")
        assert [int(row[0]) for row in table] == list(timeline.steps)
        for step, *values in table:
            sites = timeline.weights(int(step))[0].values()
            scores = [score_heads(weights / 255, pattern.reads, allowed) for weights in sites]
            expected = [value for score in scores for value in getattr(score, measure).tolist()]
            assert [float(value) for value in values] == pytest.approx(expected, abs=0.003)

    module = joined({"Timeline": ("watch/timeline.js", "Timeline")})
    page.route("**/timeline.js", lambda route: route.fulfill(body=module, content_type="text/javascript"))
    place = [f"/attnviz/runs/{learned.name}/news", "/timeline.js"]
    steps, forgotten, newest = page.evaluate(UNPACK, place)
    assert tuple(steps) == timeline.steps
    for step, found in ((steps[-2], forgotten), (steps[-1], newest)):
        weights = [w.flatten().tolist() for sequence in timeline.weights(step) for w in sequence.values()]
        assert found == [value for site in weights for value in site], f"step {step} is not unpacked as it was"


def test_one_position_for_everything(open_page: Open, learned: Run) -> None:
    page = open_page(path="runs", run=learned.name)
    shown(page, STEPS)
    assert "step" not in address(page)
    slider(page).press("Home")
    root = shown(page, 0)
    expect(page.locator(".aw-samples-card h2")).to_have_text(say("samples"))
    page.wait_for_function("new URLSearchParams(location.search).get('step') === '0'")
    for _ in range(3):
        slider(page).press("ArrowRight")
    step = learned.timeline().steps[3]
    expect(root).to_have_attribute("data-step", str(step))
    kept = max(kept for kept in learned.checkpoints() if kept <= step)
    link = page.get_by_role("link", name=say("explorer", step=kept))
    assert parse_qs(urlsplit(link.get_attribute("href") or "").query)["model"] == [f"run/{learned.name}@{kept}"]
    chart = page.locator("[data-chart=metric] .aw-frame")
    chart.click(position={**at(chart, 0.75, 0), "y": 60})
    expect(root).to_have_attribute("data-step", re.compile("^(2|3)"))
    expect(page.locator(".aw-samples-card h2")).to_have_text(re.compile(r"\d"))
    page.get_by_role("button", name=say("newest"), exact=True).click()
    expect(root).to_have_attribute("data-step", str(STEPS))
    page.wait_for_function("!new URLSearchParams(location.search).has('step')")


def test_a_link_opens_step_head_and_sequence(open_page: Open, learned: Run) -> None:
    page = open_page(path="runs", run=learned.name, step="8", site="encoder.1.self", head="1", seq="1")
    root = shown(page, 8)
    assert (root.get_attribute("data-site"), root.get_attribute("data-head")) == ("encoder.1.self", "1")
    expect(page.locator(".aw-sequence")).to_have_value("1")
    expect(page.locator(".aw-samples-card h2")).to_have_text(say("samples_at", step="5"))  # the last look before 8
    page.locator(".aw-head").get_by_role("button", name="Table").click()
    weights = learned.timeline().weights(8)[1]["encoder.1.self"][1] / 255
    for row, expected in zip(cells(page), weights.tolist(), strict=True):
        assert [float(value) for value in row[1:]] == pytest.approx(expected, abs=0.0006)
    page.keyboard.press("Escape")

    page.locator("a.aw-link").click()  # to the Explorer, where another head is chosen, and back
    explorer = view(page)
    expect(explorer).to_have_attribute("data-site", "encoder.1.self")
    expect(explorer).to_have_attribute("data-head", "1")
    page.locator('.av-thumb[data-site="encoder.0.self"][data-head="1"]').click()
    page.locator(".st-key-way-back a").click()
    root = shown(page, int(parse_qs(urlsplit(page.url).query)["step"][0]))
    assert (root.get_attribute("data-site"), root.get_attribute("data-head")) == ("encoder.0.self", "1")
    expect(page.locator(".aw-sequence")).to_have_value("1")


def test_another_run_begins_at_its_own_newest_step(open_page: Open, runs_folder: Path, learned: Run) -> None:
    other = small_run(runs_folder / "watch-next", steps=20)
    record(other)
    page = open_page(path="runs", run=learned.name, step="5")
    shown(page, 5)
    click_row(page, other.name, 1)
    expect(page.locator(f'.aw[data-run="{other.name}"]')).to_have_attribute("data-step", "20")
    page.wait_for_function("!new URLSearchParams(location.search).has('step')")


COLLECT = """root => {
  window.observer?.disconnect();
  window.stops = [];
  let before = root.dataset.step;
  const look = () => {
    if (root.dataset.step === before) return;
    before = root.dataset.step;
    window.stops.push(Number(before));
  };
  window.observer = new MutationObserver(look);
  window.observer.observe(root, { attributeFilter: ["data-step"] });
}"""

MOTIONS: tuple[Literal["no-preference", "reduce"], ...] = ("no-preference", "reduce")


def test_the_middle_tells_the_gap_and_history_plays_from_the_beginning(open_page: Open, learned: Run) -> None:
    page = open_page(path="runs", run=learned.name, step="20")
    root = shown(page, 20)
    lines = learned.metrics()
    held = next(line.validation for line in lines if line.step == 20)
    assert held is not None
    around = [line.loss for line in lines if abs(line.step - 20) <= 10]
    words = page.locator("[data-chart=loss] .aw-words")
    expect(words).to_contain_text(say("gap"))
    told = float(words.inner_text().split()[-1].replace("\u2212", "-"))
    assert told == pytest.approx(held.loss - sum(around) / len(around), rel=0.01, abs=1e-4)

    for motion in MOTIONS:
        page.emulate_media(reduced_motion=motion)
        page.get_by_role("button", name=say("newest"), exact=True).click()
        expect(root).to_have_attribute("data-step", str(STEPS))
        root.evaluate(COLLECT)
        page.get_by_role("button", name=say("replay")).click()
        page.wait_for_function("new Set(window.stops).size >= 3")
        page.get_by_role("button", name=say("replay.pause")).click()
        expect(root).to_have_attribute("data-follows", "false")
        stops = page.evaluate("window.stops")
        assert stops[0] == 0, motion
        assert stops == sorted(stops), motion
        assert set(stops) <= set(learned.timeline().steps), motion


@pytest.fixture
def endless(runs_folder: Path) -> Iterator[Run]:
    """A run that has not begun and would not end by itself."""
    recipe = RECIPES["reverse"].changed(steps=100_000)
    training = replace(recipe.training, batch_size=8)
    run = Run.create(runs_folder / "watch-live", RunConfig(recipe.task, recipe.model, training, Recording(5)))
    yield run
    run.commands.send("stop")  # the next test needs the worker


def test_a_run_is_steered_and_watched_live(open_page: Open, endless: Run) -> None:
    run = endless
    page = open_page(path="runs", run=run.name)
    root = view(page)
    button = {
        key: page.get_by_role("button", name=say(key), exact=True) for key in ("pause", "resume", "stop", "step_once")
    }
    expect(button["step_once"]).to_be_disabled()
    page.get_by_role("button", name=say("train_now"), exact=True).click()
    expect(root).to_have_attribute("data-state", "running")
    expect(root).to_have_attribute("data-snapshots", re.compile(r"^([3-9]|\d\d)"))
    button["pause"].click()
    expect(root).to_have_attribute("data-state", "paused")
    before = len(run.metrics())
    button["step_once"].click()
    where = page.locator(".aw-where")
    expect(where).to_contain_text(say("steps", step=f"{before + 1:,}", steps="100,000"))
    assert len(run.metrics()) == before + 1
    page.get_by_label(say("speed")).select_option("1")
    page.locator(".aw-tuning input").press("ArrowLeft")
    expect(page.locator(".aw-rate-text b")).to_have_text("0.0028")
    button["resume"].click()
    expect(root).to_have_attribute("data-state", "running")
    expect(page.locator(".aw-rate-text")).to_contain_text(
        re.compile(r"0\.0028.*0\.0028")
    )  # a step has been taken with it
    button["stop"].click()
    expect(root).to_have_attribute("data-state", "stopped")
    expect(button["resume"]).to_be_enabled()
    rates = [line.learning_rate / run.config.training.rate(line.step) for line in run.metrics()]
    assert rates[0] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.0028 / 0.003)


def test_a_run_that_diverged_says_why_and_how_to_go_on(open_page: Open, runs_folder: Path) -> None:
    run = small_run(runs_folder / "watch-diverged")
    error = TrainingDiverged(7, 99.0, 1.0)
    run.write_state(RunState("failed", 7, message=str(error), error={"code": error.code, "details": error.details}))
    page = open_page(path="runs", run=run.name, lang="en")
    alert = page.locator(".aw-failure")
    for lang in ("en", "zh"):
        if lang == "zh":
            switch_language(page, lang)
        expect(alert).to_contain_text(locale.t(lang, "error.training_diverged", **error.details))
        expect(alert.get_by_label(say("rate", lang))).to_have_value("0.0003")
        expect(alert.get_by_role("button", name=say("resume_lower", lang))).to_be_enabled()
    alert.get_by_role("button", name=say("resume_lower", "zh")).click()
    expect(view(page)).to_have_attribute("data-state", "done")
    assert run.metrics()[-1].learning_rate < 0.0003


def test_what_a_file_says_is_text(open_page: Open, runs_folder: Path) -> None:
    run = small_run(runs_folder / "watch-hostile")
    message = "<img src=x onerror=alert(1)>"
    run.write_state(RunState("failed", 1, message=message))
    page = open_page(path="runs", run=run.name)
    expect(page.locator(".aw-failure")).to_contain_text(message)
    assert page.locator(".aw-failure img").count() == 0


def test_a_server_that_does_not_answer_is_asked_again(bare: Page, server: str, learned: Run) -> None:
    bare.route("**/news?*", lambda route: route.abort())
    bare.goto(f"{server}/runs?run={learned.name}")
    problem = bare.locator(".aw-problem")
    expect(problem).to_have_text(say("problem.network"))
    bare.unroute("**/news?*")
    shown(bare, STEPS)
    expect(problem).to_be_hidden()


def news(page: Page) -> int:
    """How often the page has asked for news of its run, as the browser counts."""
    asked: int = page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/news?')).length"
    )
    return asked


def test_a_run_that_is_deleted_while_it_is_watched_says_so(open_page: Open, runs_folder: Path) -> None:
    """And no question about it ends in an error of the browser's console, which would fail this test."""
    run = small_run(runs_folder / "watch-deleted")
    run.write_state(RunState("paused", process=ProcessId.current()))  # asked about again and again
    page = open_page(path="training", run=run.name)
    expect(view(page)).to_have_attribute("data-state", "paused")
    shutil.rmtree(run.folder)
    expect(view(page)).to_have_attribute("data-problem", "gone")
    expect(page.locator(".aw-problem")).to_have_text(locale.t("en", "error.run_not_found", name=run.name))
    before = news(page)
    page.wait_for_timeout(1500)
    assert news(page) == before


def test_a_phone_shows_all_of_it_and_asks_no_more_once_a_run_has_ended(open_page: Open, learned: Run) -> None:
    page = open_page(width=390, height=844, scheme="dark", path="runs", run=learned.name)
    root = shown(page, STEPS)
    until(page, lambda: news(page) >= 2, "it was not asked whether there is more")  # the second finds nothing more
    page.wait_for_timeout(1200)
    assert news(page) == 2
    for scheme in reversed(SCHEMES):
        page.emulate_media(color_scheme=scheme)
        expect(root).to_have_attribute("data-theme", scheme)
        until(page, lambda: sticking_out(root, ".av-scroller, .aw-heads, svg") == [], "something sticks out")
    page.locator(".aw-samples-card").scroll_into_view_if_needed()
    expect(page.locator(".aw-samples li")).to_have_count(6)


def test_the_first_screen_of_the_training_page(open_page: Open, learned: Run) -> None:
    page = open_page(path="training", run=learned.name)
    shown(page, STEPS)
    charts = ("[data-chart=loss]", "[data-chart=metric]")
    expect_within(page, ".aw-transport", ".aw-time-row", *charts, ".aw-heads", ".aw-head")


def test_runs_are_compared(open_page: Open, runs_folder: Path, learned: Run) -> None:
    other = small_run(runs_folder / "watch-other", steps=20)
    record(other)
    page = open_page(path="runs", run=f"{learned.name},{other.name}")
    root = page.locator(".aw-compare")
    expect(root).to_have_attribute("data-points", re.compile(r"^(40 20|20 40)$"))
    key = page.locator(".aw-key")
    expect(key).to_contain_text(learned.name)
    expect(key).to_contain_text(other.name)
    page.locator("[data-chart=loss]").get_by_role("button", name="Table").click()
    assert [int(row[0]) for row in cells(page)] == sorted(
        {look.step for run in (learned, other) for look in run.metrics() if look.validation}
    )


@pytest.fixture(scope="module")
def plain(runs_folder: Path) -> Run:
    """A run of a network without attention."""
    task = Reverse(n_symbols=5, min_length=2, max_length=4)
    training = TrainConfig(steps=STEPS, batch_size=16, validate_every=5, validation_size=40, warmup_steps=4)
    run = Run.create(runs_folder / "watch-plain", RunConfig(task, task.recurrent_config(), training, Recording(2)))
    record(run)
    return run


def test_a_network_without_attention_is_watched_too(open_page: Open, plain: Run) -> None:
    page = open_page(path="runs", run=plain.name, site="encoder.0.self", head="1")
    root = shown(page, STEPS)
    looks = {line.step for line in plain.metrics() if line.validation}
    expect(root).to_have_attribute("data-snapshots", str(len(looks | set(plain.checkpoints()))))
    expect_no_attention(page, plain, "en")
    page.set_viewport_size({"width": 390, "height": 900})
    switch_language(page, "zh")
    expect_no_attention(page, plain, "zh")


def expect_no_attention(page: Page, plain: Run, lang: str) -> None:
    """It is said, and all else of the run is shown from its first step to its last."""
    root = shown(page, STEPS)
    expect(page.locator(".aw-none")).to_have_text(say("no_attention", lang))
    for part in (".aw-heads", ".aw-head", ".aw-patterns"):
        expect(page.locator(part)).to_have_count(0)
    page.get_by_role("slider", name=say("time", lang)).press("Home")
    expect(root).to_have_attribute("data-step", str(min(plain.checkpoints())))
    page.get_by_role("slider", name=say("time", lang)).press("ArrowRight")
    page.wait_for_function("/[?&]step=[1-9]/.test(location.search)")
    assert "site" not in address(page)
    page.get_by_role("button", name=say("newest", lang), exact=True).click()
    expect(page.locator(".aw-samples-card h2")).to_have_text(say("samples_at", lang, step=STEPS))
    until(page, lambda: sticking_out(root, "svg") == [], "something sticks out")


@pytest.fixture(scope="module")
def told_in_characters(runs_folder: Path) -> list[Run]:
    """A Transformer and an LSTM that write characters."""
    task = Stories("en", length=16)
    models: dict[str, AnyConfig] = {"transformer": task.model_config(), "lstm": task.recurrent_config()}
    training = TrainConfig(steps=10, batch_size=4, validate_every=5, validation_size=8)
    runs = [
        Run.create(runs_folder / f"watch-{name}", RunConfig(task, model, training)) for name, model in models.items()
    ]
    for run in runs:
        record(run)
    return runs


def test_a_language_model_has_perplexity_and_bits_and_a_cell_its_tokens(
    open_page: Open, told_in_characters: list[Run]
) -> None:
    run = told_in_characters[0]
    page = open_page(path="runs", run=run.name)
    root = shown(page, 10)
    held = run.metrics()[-1].validation
    assert held is not None
    wanted = f"{say('perplexity')} {exp(held.loss):#.3g} · {say('bits.character')} {held.loss / log(2):#.3g}"
    expect(page.locator("[data-chart=loss] .aw-words")).to_contain_text(wanted)
    page.locator("[data-chart=loss] .aw-frame").hover()
    expect(page.locator(".av-tooltip")).to_contain_text(say("perplexity"))
    matrix = page.locator(".aw-head .av-scroller")
    matrix.hover(position=at(matrix, 0.6, 0.7))
    tip = page.locator(".av-tooltip")
    for name in ("query", "key", "weights"):
        expect(tip).to_contain_text(locale.t("en", f"view.frame.tip.{name}"))
    query, key, weight = tip.locator(".av-tip-value").all_inner_texts()
    place = [int(text.rpartition("#")[2]) for text in (query, key)]
    site, head = root.get_attribute("data-site"), root.get_attribute("data-head")
    assert site is not None
    assert head is not None
    recorded = run.timeline().weights(10)[0][site][int(head)] / 255
    assert float(weight) == pytest.approx(float(recorded[*place]), abs=0.001)

    names = ",".join(run.name for run in told_in_characters)
    page = open_page(path="runs", run=names)
    expect(page.locator(".aw-key")).to_contain_text(wanted)
    expect(page.locator("[data-chart=loss] h2")).to_have_text(say("loss.nats"))


@pytest.fixture(scope="module")
def pooled(runs_folder: Path) -> Run:
    """A run of an LSTM whose states are pooled by attention: one query."""
    task = FirstSymbol(distance=10)
    model = replace(task.recurrent_config(), pooling="additive")
    training = TrainConfig(steps=20, batch_size=16, validate_every=5, validation_size=16, learning_rate=1e-2)
    run = Run.create(runs_folder / "watch-pooled", RunConfig(task, model, training, Recording(2)))
    record(run)
    return run


def test_a_query_that_pools_is_scored_as_python_does(open_page: Open, pooled: Run) -> None:
    page = open_page(path="runs", run=pooled.name)
    root = shown(page, 20)
    assert root.get_attribute("data-site") == "readout.0.cross"
    timeline, batch = pooled.timeline(), pooled.probe()[0]
    (pattern,) = pooled.config.task.expected(batch.tokens[0].tolist())
    reads = expected_reads(pattern, "readout", "cross", "encoder")
    assert reads is not None
    for measure in ("mass", "hits"):
        page.locator(f"[data-measure={measure}]").click()
        page.locator("[data-chart=pattern-0]").get_by_role("button", name="Table").click()
        table = cells(page)
        page.keyboard.press("Escape")
        for step, value in table:
            scores = score_heads(timeline.weights(int(step))[0]["readout.0.cross"] / 255, reads, torch.ones_like(reads))
            assert float(value) == pytest.approx(float(getattr(scores, measure)), abs=0.003)
    page.locator(".aw-head").get_by_role("button", name="Table").click()
    assert [row[0] for row in cells(page)] == ["0<state>"]  # its place, its label
