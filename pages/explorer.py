"""The Explorer: any sequence, every head, every number."""

from attnviz.ui import explorer

key = explorer.controls()
explorer.picture(key)
