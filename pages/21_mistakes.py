"""Find the mistake: wrong formulas that are printed in many places, and the numbers that prove it."""

from attnviz.ui import mistakes

mistakes.show()
