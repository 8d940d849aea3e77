"""What identity decides, as pure functions: no database, no network, no clock of their own."""
