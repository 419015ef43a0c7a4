INSERTER = "bench.insert"
"""Name of the subscriber that inserts one row for each delivery."""
