"""Backups: one file with everything, restorable into SQLite and PostgreSQL alike. docs/adr/ says why it is our own."""
