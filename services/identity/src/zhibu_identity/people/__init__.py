"""People: their records, lists of them, corrections, what a member may have as a file."""
