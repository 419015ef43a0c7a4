"""The faults, one file a group. `catalogue.FAULTS` names them all."""
