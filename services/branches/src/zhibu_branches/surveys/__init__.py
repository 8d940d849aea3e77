"""The survey of computers and networks, by which a physical branch goes online (A2)."""
