"""The operator as a process on a real API server, behind proxies that stop, repeat, reorder and cut."""
