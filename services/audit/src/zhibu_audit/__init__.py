"""audit: the log that nobody can change unseen."""
