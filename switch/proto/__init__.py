"""Protocol buffers of the inspection service; stubs are made by `python -m switch.proto.generate`."""
