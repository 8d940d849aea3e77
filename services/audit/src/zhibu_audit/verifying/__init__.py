"""Checking the log offline: needs no service, no database and nothing of the kit."""
