"""Opens what a stranger brought in a process of its own first, with little memory, little time and no network."""

from attnviz.sandbox.launch import prepare
from attnviz.sandbox.process import OPEN_SECONDS, STAGES, Sandbox

__all__ = ["OPEN_SECONDS", "STAGES", "Sandbox", "prepare"]
