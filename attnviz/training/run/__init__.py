"""Runs: folders that hold what a training does, who works on them, and what can be taken out of them."""
