"""A tamper-evident log as the C2SP specifications describe it, usable without the platform."""
