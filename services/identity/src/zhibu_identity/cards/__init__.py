"""Signed e-ID cards."""
