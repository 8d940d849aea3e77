"""Grants of office."""
