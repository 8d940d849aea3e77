"""Erasures of people before two officers."""
