"""Attention by hand: numbers that a person typed, taken through every step, as a trace like any other."""

from attnviz.calculator.code import program
from attnviz.calculator.parse import read_table
from attnviz.calculator.presets import PRESETS
from attnviz.calculator.problem import Matrix, Problem
from attnviz.calculator.solve import solve, stages

__all__ = ["PRESETS", "Matrix", "Problem", "program", "read_table", "solve", "stages"]
