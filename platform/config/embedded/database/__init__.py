"""The database backend of the embedded mode: Django's for SQLite, with threads that take turns to write."""
