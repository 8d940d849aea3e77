"""Demonstration data for Zhibu: nothing in here is a real person, and the divisions are the real ones."""
