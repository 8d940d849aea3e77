"""e-IDs: issued, activated, closed and revoked; their accounts at Keycloak; log-in codes."""
