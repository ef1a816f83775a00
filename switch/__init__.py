"""The embedded software switch: runs any v1model program as native code and speaks P4Runtime."""
