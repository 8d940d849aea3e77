"""Rate limits: counted in each pod, shared through NATS a few times a second."""
