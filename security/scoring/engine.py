"""Which rules these are."""

ENGINE = "weighted-v1"
"""Name and version of the rules. A change that can alter any number or order gets a new one."""
