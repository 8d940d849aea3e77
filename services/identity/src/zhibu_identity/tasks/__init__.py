"""Work that follows commits: a queue of tasks, leases, the worker."""
