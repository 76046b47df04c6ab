"""Classes, their links and their members, in SQL: they outlive a process, and several servers share them."""
