"""Tasks of choices that somebody makes one after the other: walks and shopping sessions."""
