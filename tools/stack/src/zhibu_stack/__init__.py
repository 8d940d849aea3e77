"""Runs every engine and process of Zhibu on one machine, for `make run` and for the tests."""
