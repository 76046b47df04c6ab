"""Training: a small model on a small task, live."""

from attnviz.ui import training

training.ADDRESS.arrive()
training.page()
