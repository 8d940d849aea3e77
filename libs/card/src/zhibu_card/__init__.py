"""The signed code of the e-ID card, for those who make it and those who check it."""
