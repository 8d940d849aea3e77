"""The organisation tree of the Party in one province."""
