"""Cost: attention against recurrence, computed and measured."""

from attnviz.ui import cost

cost.show()
