"""Recoveries of e-IDs before two officers."""
