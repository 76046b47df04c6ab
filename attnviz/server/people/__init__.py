"""Who sits at a browser, what runs are theirs, and the class that they are in."""
