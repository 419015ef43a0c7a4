"""Events and deliveries, to be read; the bus, to be operated.

Staff with the permission to view read; superusers act, by POST. Payloads hold customers' answers: only superusers see
them. Importing this registers the pages.
"""

from eventbus.admin import dead_letters, deliveries, events, replays, subscriptions

__all__ = ["dead_letters", "deliveries", "events", "replays", "subscriptions"]
