"""The Applications page: what attention is used for, each with a view of its own."""
