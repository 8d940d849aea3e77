"""The contract as the gateway sees it: files, methods, bindings."""
