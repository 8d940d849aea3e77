"""Founding virtual branches: an initiator proposes, others co-sign, the county decides (A1)."""
