"""wardround keeps hospitals' infrastructure the way it was designed."""

__version__ = "0.1.0"
