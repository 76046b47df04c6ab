"""Sweeps: many runs that differ in some settings, planned, trained on the queue, and compared."""
