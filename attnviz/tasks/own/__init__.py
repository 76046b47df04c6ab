"""Tasks made of data that somebody brought."""
