"""Applications: filed, decided one by one and many at once, exported."""
