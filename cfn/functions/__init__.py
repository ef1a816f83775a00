"""Functions that come with the package: `vision/detect` and `video/render`."""
