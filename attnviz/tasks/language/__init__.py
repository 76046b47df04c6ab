"""Tasks of words: stories, translation, labels, entities, dialogue."""
