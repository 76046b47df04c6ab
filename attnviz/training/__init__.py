"""Training: the loop, its configuration, the recipes of the zoo, and runs that are recorded in folders."""

from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import Evaluation, Step, TrainingState, evaluate, train
from attnviz.training.recipes import RECIPES, Recipe
from attnviz.training.run.config import Recording, RunConfig
from attnviz.training.run.control import COMMANDS, Command, CommandFile, Control
from attnviz.training.run.folder import Metrics, Run
from attnviz.training.run.queue import TrainingQueue
from attnviz.training.run.recorder import is_milestone, record
from attnviz.training.run.runs import all_runs, new_run, open_run, place_in_queue, runs_root
from attnviz.training.run.state import RunState
from attnviz.training.run.timeline import Timeline

__all__ = [
    "COMMANDS",
    "RECIPES",
    "Command",
    "CommandFile",
    "Control",
    "Evaluation",
    "Metrics",
    "Recipe",
    "Recording",
    "Run",
    "RunConfig",
    "RunState",
    "Step",
    "Timeline",
    "TrainConfig",
    "TrainingQueue",
    "TrainingState",
    "all_runs",
    "evaluate",
    "is_milestone",
    "new_run",
    "open_run",
    "place_in_queue",
    "record",
    "runs_root",
    "train",
]
