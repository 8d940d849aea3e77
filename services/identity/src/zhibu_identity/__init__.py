"""identity: real-name applications, e-IDs and grants of office; the only service that keeps personal data."""
