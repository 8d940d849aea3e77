"""Committees of branches: posts, holders, terms (A5)."""
