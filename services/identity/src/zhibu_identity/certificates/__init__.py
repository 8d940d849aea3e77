"""X.509 certificates of officers, and the authority that signs them."""
