"""The security log: who came in, what was refused, who changed what. docs/operations.md lists its lines."""

from securitylog.log import Kind, network_of, note, operator

__all__ = ["Kind", "network_of", "note", "operator"]
