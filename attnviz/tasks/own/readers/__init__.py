"""Readers of data that somebody brought: encodings, tables, tagged sentences, numbers."""
