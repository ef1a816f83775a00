"""Collectors: where a site's raw metrics (L0) come from."""
