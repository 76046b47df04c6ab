"""Calculator: attention by hand, every step from numbers that people type."""

from attnviz.ui import calculator
from attnviz.ui.calculator_state import ADDRESS

ADDRESS.arrive()
calculator.page()
