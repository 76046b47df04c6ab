"""Training: the loop, its configuration, the recipes of the zoo, and runs that are recorded in folders."""

from attnviz.training.config import TrainConfig
from attnviz.training.control import COMMANDS, Command, CommandFile, Control
from attnviz.training.loop import Evaluation, Step, TrainingState, evaluate, train
from attnviz.training.queue import TrainingQueue
from attnviz.training.recipes import RECIPES, Recipe
from attnviz.training.recorder import is_milestone, record
from attnviz.training.run import Metrics, Run
from attnviz.training.run_config import Recording, RunConfig
from attnviz.training.runs import all_runs, new_run, open_run, place_in_queue, runs_root
from attnviz.training.state import RunState
from attnviz.training.timeline import Timeline

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
