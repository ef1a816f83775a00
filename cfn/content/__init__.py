"""Content by identifier: the cache of a site's data agent, how it is filled, and how functions use it."""
