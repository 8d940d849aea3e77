"""Rosters: read, checked, staged, committed, written."""
