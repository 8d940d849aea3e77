"""The web client of Zhibu: server-rendered pages over the public API of the gateway."""
