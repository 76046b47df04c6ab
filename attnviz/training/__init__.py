"""Training: the loop, its configuration, and the recipes of the zoo."""

from attnviz.training.config import TrainConfig
from attnviz.training.loop import Evaluation, Step, TrainingState, evaluate, train
from attnviz.training.recipes import RECIPES, Recipe

__all__ = ["RECIPES", "Evaluation", "Recipe", "Step", "TrainConfig", "TrainingState", "evaluate", "train"]
