"""The plumbing that every service of Zhibu shares: start, calls, access, data, events, telemetry."""
