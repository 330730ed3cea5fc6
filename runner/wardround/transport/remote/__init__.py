"""Programs that are sent to a host and run there by its own Python (3.11 or newer, standard library only)."""
