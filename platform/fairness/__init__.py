"""Threads that clients share, so that one who asks for much holds up nobody who asks for little.

Who a client is, the caller says. Nothing here knows requests, people or Django. See docs/adr/0042-turns-by-client.md.
"""
