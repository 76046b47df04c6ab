"""The Explorer: any sequence, every head, every number."""
