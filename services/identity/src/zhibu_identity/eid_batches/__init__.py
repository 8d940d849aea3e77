"""e-IDs for many people in one resumable act, and the sheets of their activation codes."""
