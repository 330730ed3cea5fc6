"""Frozen types without I/O: what wardround talks about."""
