"""What tests of any package use: a token issuer, fixed clocks, real engines. Never imported at run time."""
