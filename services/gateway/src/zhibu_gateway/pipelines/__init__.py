"""What happens between an HTTP request and an RPC: one pipeline per method, compiled at start."""
