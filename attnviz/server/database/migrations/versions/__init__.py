"""The changes, in order; one that was released stays as it is."""
