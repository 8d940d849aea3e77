"""Messages to telephones: one-time codes over SMPP 3.4."""
