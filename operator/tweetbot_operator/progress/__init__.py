"""How far running stages are, kept in memory and shown in the status."""
