"""Telephones: proven, reached, replaced."""
