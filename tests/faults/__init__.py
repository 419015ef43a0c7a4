"""The nemesis: injects faults under load and holds what is left to what was acknowledged. `make faults` runs it."""
