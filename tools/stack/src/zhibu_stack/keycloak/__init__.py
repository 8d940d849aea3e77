"""The realm `zhibu`: its definition as data, how it is applied to a running Keycloak, and the login theme."""
