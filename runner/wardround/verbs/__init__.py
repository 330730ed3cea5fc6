"""One file a verb: the only wiring between rooms."""
