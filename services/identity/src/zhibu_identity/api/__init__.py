"""The RPCs: one transaction each, a use case, an answer."""
