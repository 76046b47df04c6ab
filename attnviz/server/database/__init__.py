"""What must outlive a process and be shared by several servers: classes, their links and their members, in SQL."""
