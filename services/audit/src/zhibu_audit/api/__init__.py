"""What audit answers to calls."""
