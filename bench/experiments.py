"""Measure what experiments cost: the sweep over every head, writing with all heads kept, an edit in the Explorer.

CPU time of one thread, models in the shape of GPT-2 small with random weights, alternating in one process that keeps
freed memory. The sweep and writing are of transformers' GPT-2, the edit is of our own decoder, as the server runs it;
and once more in real Chromium, by the clock: from the press in the menu to the frame that shows what the answer became.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import torch
from playwright.sync_api import sync_playwright

import attnviz
from attnviz import edits
from attnviz.edits.sweep import Sweep, swept
from attnviz.huggingface import HuggingFaceModel, wrap, write
from attnviz.library import MODELS_FOLDER
from attnviz.models import save_model
from attnviz.models.bundle import SequenceModel
from attnviz.server.forward import run
from attnviz.server.picture import Beside, choice_of, picture
from attnviz.server.traces import TraceKey
from attnviz.trace import Trace
from attnviz.writing import Plan
from bench.common import Figure, alternate, gpt2_small, keep_freed_memory, ratio, report
from bench.server import CHROMIUM_FLAGS, ROOT, serve

HEADS = 144
SWEPT = ((16, 0.35), (64, 0.5))  # tokens, and the goal
PLAIN = 8  # forward passes beside a sweep
WRITTEN, READ = 48, 16  # tokens
EDITED = 64
MOST_MORE = 150  # ms beside 1.3 plain runs

# Milliseconds from a press of a menu's entry to the frame in which the answer shows what it was before.
PRESS = """(entry) => new Promise((resolve) => {
  const page = entry.getRootNode();
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (!page.querySelector('.ava :is(.ava-change, .ava-tick:not([hidden]))')) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  }).observe(page, { childList: true, subtree: true, attributes: true });
  entry.click();
})"""


def gpt2(**given: Any) -> HuggingFaceModel:
    """GPT-2 small as transformers builds it, with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return wrap(GPT2LMHeadModel(GPT2Config(eos_token_id=None, bos_token_id=None, **given)).eval())


def measure(rounds: int = 3) -> list[Figure]:
    torch.set_num_threads(1)
    keep_freed_memory()
    model = gpt2()
    return [
        *(figure for length, goal in SWEPT for figure in sweeping(model, length, goal, rounds)),
        *writing(model, rounds),
        *editing(rounds),
        *pressing(rounds),
    ]


def sweeping(model: HuggingFaceModel, length: int, goal: float, rounds: int) -> list[Figure]:
    """A sweep beside plain forward passes, and beside one edit after the other."""
    inputs = {"input_ids": torch.arange(length)[None] * 7 % 40_000}
    trace = attnviz.trace_inputs(model, inputs)

    def plain() -> None:
        with torch.inference_mode():
            for _ in range(PLAIN):
                model.network(**inputs, use_cache=False)

    def sweep() -> Sweep:
        return swept(trace, None, -1, edits.head_off, lambda done, total: None)

    seconds = alternate({"plain": plain, "sweep": sweep}, rounds, warm_up=1)
    label = f"T={length}: "
    return [
        Figure(f"{label}sweep / {HEADS} plain forwards", ratio(seconds, "sweep", "plain") * PLAIN / HEADS, "x", goal),
        Figure(f"{label}sweep: error against one by one", error(trace, sweep()), "", 1e-5),
        Figure(f"{label}sweep", statistics.median(seconds["sweep"]), "CPU s"),
    ]


def error(trace: Trace, found: Sweep) -> float:
    """The largest difference of the logits from those of one edit after the other, by the largest logit."""
    output = int(trace.logits[found.position].argmax())
    errors = [
        abs(float(trace.with_edits([edits.head_off(site, head)]).logits[found.position, output] - after))
        for site, row in zip(found.sites, found.logit, strict=True)
        for head, after in enumerate(row.tolist())
    ]
    assert len(errors) == HEADS
    return max(errors) / float(trace.logits[found.position].abs().max())


def writing(model: HuggingFaceModel, rounds: int) -> list[Figure]:
    """Writing with all heads kept beside transformers' own `generate`: the same backend, and eager attention."""
    inputs = {"input_ids": torch.arange(READ)[None] * 7, "attention_mask": torch.ones(1, READ, dtype=torch.long)}
    eager = gpt2(attn_implementation="eager")
    greedy = {"max_new_tokens": WRITTEN, "min_new_tokens": WRITTEN, "do_sample": False, "pad_token_id": 0}

    def generate(network: Any, **options: Any) -> Any:
        with torch.inference_mode():
            return network.generate(**inputs, **greedy, **options)

    calls = {
        "kept": lambda: write(model, inputs, Plan(max_new=WRITTEN)),
        "generate": lambda: generate(model.network),
        "eager": lambda: generate(eager.network, output_attentions=True, return_dict_in_generate=True),
    }
    written = calls["kept"]().token_ids[READ:]
    assert (*written,) == (*calls["generate"]()[0, READ:-1].tolist(),)  # the last one is read by nobody
    seconds = alternate(calls, 2 * rounds + 1, warm_up=1)
    label = f"{WRITTEN} tokens: "
    return [
        Figure(f"{label}written with all heads kept / generate", ratio(seconds, "kept", "generate"), "x", 1.1),
        Figure(f"{label}eager with attentions / generate", ratio(seconds, "eager", "generate"), "x"),
    ]


def editing(rounds: int) -> list[Figure]:
    """Do the server's work for one more edit in the Explorer, the trace before it being there."""
    with saved() as (model, text, folder):
        ids = torch.tensor([model.tokenizer.encode(text)])
        os.environ[MODELS_FOLDER] = str(folder)
        key = TraceKey("gpt2-shape", text)
        held = run(key)
        choice, _ = choice_of(held.trace, {}, 0)
        numbers = count(1)

        def plain() -> None:
            with torch.inference_mode():
                model.network(ids)

        def edit() -> None:
            edited = key._replace(edits=f"temperature:decoder.3.self:2:{1 + next(numbers) / 1000}")
            picture(edited, run(edited), choice, "en", Beside(key, held))

        seconds = alternate({"plain": plain, "edit": edit}, 2 * rounds + 1, warm_up=2)
    more = statistics.median(e - 1.3 * p for e, p in zip(seconds["edit"], seconds["plain"], strict=True))
    return [
        Figure(f"T={EDITED}: an edit in the Explorer, above 1.3 plain forwards", 1000 * more, "ms", MOST_MORE),
        Figure(f"T={EDITED}: plain forward", 1000 * statistics.median(seconds["plain"]), "ms"),
    ]


@contextmanager
def saved() -> Iterator[tuple[SequenceModel, str, Path]]:
    """Give a decoder of ours, a text for it, and the folder of models in which it is "gpt2-shape"."""
    model = gpt2_small(vocab_size=1000)
    with TemporaryDirectory() as folder:
        save_model(replace(model, card=replace(model.card, name="gpt2-shape")), Path(folder) / "gpt2-shape")
        yield model, " ".join(model.tokenizer.symbols[:EDITED]), Path(folder)


def pressing(rounds: int) -> list[Figure]:
    """Switch one head off after the other on the page, and undo it, beside plain forward passes in this process."""
    with saved() as (model, text, folder), serve(ROOT / "app.py", ATTNVIZ_MODELS=folder) as app, sync_playwright() as p:
        ids = torch.tensor([model.tokenizer.encode(text)])
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{app}/?{urlencode({'model': 'gpt2-shape', 'text': text})}")
        page.locator(".attnviz[data-layer]").wait_for(timeout=180_000)
        found = []
        for head in range(2 * rounds + 1):
            start = time.perf_counter()
            with torch.inference_mode():
                model.network(ids)
            plain = 1000 * (time.perf_counter() - start)
            page.locator(f'.av-thumb[data-site="decoder.3.self"][data-head="{head}"]').click(button="right")
            entry = page.locator('[role=menu] [data-edit="off"]')
            entry.wait_for()
            found.append((plain, entry.evaluate(PRESS)))
            page.keyboard.press("Control+z")
            page.locator(".ava :is(.ava-change, .ava-tick:not([hidden]))").first.wait_for(state="detached")
            page.wait_for_load_state("networkidle")
        browser.close()
    more = statistics.median(edit - 1.3 * plain for plain, edit in found[1:])
    return [
        Figure(
            f"T={EDITED}: an edit from press to answer on the page, above 1.3 plain forwards", more, "ms", MOST_MORE
        ),
        Figure(f"T={EDITED}: an edit from press to answer on the page", statistics.median(e for _, e in found), "ms"),
    ]


if __name__ == "__main__":
    report(measure, __doc__, rounds=3)
