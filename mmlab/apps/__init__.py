"""What a user calls: the personal copy of the course, the look at this machine, search, dialogue."""
