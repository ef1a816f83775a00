"""Why content can't be taken or had; the text of each error is fit for a client."""

from __future__ import annotations


class ContentError(Exception):
    """Content that can't be taken or had."""


class MismatchError(ContentError):
    """Bytes that are not what their identifier names."""


class TooBigError(ContentError):
    """More bytes than one item may have."""


class NoRoomError(ContentError):
    """More bytes than the whole cache may have, with whatever else is arriving."""


class MissingContentError(ContentError):
    """Content that is neither held nor to be had from anywhere."""


class DataAgentAwayError(ContentError):
    """The data agent does not answer."""
