"""The Explorer: any sequence, every head, every number."""

from attnviz.ui import explorer, link

link.ADDRESS.arrive()
key = explorer.controls()
explorer.picture(key)
