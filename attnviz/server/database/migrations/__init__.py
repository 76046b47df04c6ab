"""How a database comes to have the tables of this version: one script in `versions` for each change, in order."""
