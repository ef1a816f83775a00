"""What is said to a site whose advert is not believed."""

from __future__ import annotations


class Refused(ValueError):  # noqa: N818 - says what happened to the advert
    """The advert is not believed; the text says why, for the log of whoever sent it."""
