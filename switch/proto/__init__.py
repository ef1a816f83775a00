"""Protocol buffers of the inspect service; `python -m scripts.stubs` makes the stubs of `inspect.proto`."""
