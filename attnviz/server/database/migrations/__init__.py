"""Scripts that bring a database to the tables of this version: one in `versions` for each change, in order."""
