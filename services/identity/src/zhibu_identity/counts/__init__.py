"""Counts of people, kept by branch and added up."""
