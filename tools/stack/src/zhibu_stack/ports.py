"""Ports: one that is free, and whether a given one is."""

import socket


def free_port() -> int:
    """Return a port that nothing listens on now; somebody may still take it before its use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_in_use(port: int) -> bool:
    """Say whether a server already listens on the loopback at this port."""
    with socket.socket() as probe:
        # Servers set this too: a port in TIME_WAIT from our own last run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
