"""The whole of Linqu: `make demo` loads it through the import path and the gateway, as a county would."""
