"""An SMPP 3.4 message centre for development and tests."""
