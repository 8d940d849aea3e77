"""HTTP: what is the same for every answer, whichever method gives it."""
