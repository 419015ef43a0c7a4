"""How dates and times are written where a page leaves it to Django: the administration, the second factor."""
