"""The key database: data keys, blind indexes, seeds. Whoever has only one of the two databases can read nobody's data."""
