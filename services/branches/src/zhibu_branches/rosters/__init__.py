"""Committed rosters of identity, applied to memberships and records."""
