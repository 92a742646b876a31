"""The real reconciler on a cluster in memory: every write and every watch event of every workload, in milliseconds."""
