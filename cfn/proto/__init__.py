"""Protocol buffers of the advert protocol; `python -m scripts.stubs` makes the stubs of `advert.proto`."""
