"""Operators' command line of Zhibu."""
