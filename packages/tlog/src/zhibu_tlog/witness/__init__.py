"""`zhibu-witness`: watches that logs only grow, and says so by its cosignature (c2sp.org/tlog-witness)."""
