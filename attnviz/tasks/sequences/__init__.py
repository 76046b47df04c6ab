"""Tasks of letters, digits and bits: small puzzles that show what attention does."""
