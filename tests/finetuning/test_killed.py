"""A fine-tuned run whose process is killed goes on bit for bit; the process is another one than that which began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attnviz.finetuning.plan import plan
from attnviz.training import Run, record
from attnviz.training.engine.loop import Step
from attnviz.training.run.config import Recording
from tests.finetuning.conftest import rows, table
from tests.training.runs import contents

WORK = (
    "import sys; from pathlib import Path; from attnviz.training import Run, record\n"
    "def halt(step):\n"
    "    if step.step == 8: print('here', flush=True); sys.stdin.read()\n"
    "record(Run.open(Path(sys.argv[1])), on_step=halt)"
)


@pytest.mark.parametrize("method", ["last:1", "lora"])
def test_killed_at_work_it_goes_on_bit_for_bit(bert: Path, tmp_path: Path, method: str) -> None:
    """Equal weights, metrics and frames of attention; kept outputs of frozen layers are computed again."""
    training = {"steps": 12, "batch_size": 4, "learning_rate": 0.01, "validate_every": 4}
    made = plan(str(bert), {"train": table(rows())}, method=method, training=training, watched="a good film")
    config = replace(made.config, recording=Recording(every=3))
    through, killed = (Run.create(tmp_path / name, config) for name in ("through", "killed"))
    record(through)
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(killed.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.kill(process.pid, signal.SIGKILL)
    run = Run.open(killed.folder)
    assert run.state().state == "interrupted"
    again: list[Step] = []
    assert record(run, on_step=again.append).state == "done"
    assert 1 < again[0].step <= 9, "it goes on, and does not begin anew"
    assert contents(run) == contents(through)
    assert contents(run)["checkpoints"]
