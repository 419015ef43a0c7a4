"""Running Plumbline: is it well, what does it do, and how is it kept safe. docs/operations.md is for the operator."""

VERSION = "0.3.0.dev0"
"""The product's version, as in pyproject.toml: between two releases the next one's, with `.dev0`."""
