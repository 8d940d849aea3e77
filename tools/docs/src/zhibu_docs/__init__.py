"""Generators of the documents that come from the contract and the code."""
