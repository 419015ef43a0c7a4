"""Token buckets: how much one person, or one organisation, may ask for in a while.

`throttling.buckets.take` is the way in. Buckets are settings (`config.settings.THROTTLING`), kept in memory in the
embedded mode and in Redis in production. None of them asks the database.
"""
