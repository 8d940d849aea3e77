"""SMPP 3.4 as an ESME: one link to a message centre that stays bound."""
