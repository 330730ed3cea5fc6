"""A site's own parameters, kept beside the machine that works there and never with the manifest."""

from __future__ import annotations

from wardround.model.base import JsonValue, Model, Name


class Overlay(Model):
    """Parameters that replace or complete those of the manifest: addresses and keys that only the site knows."""

    parameters: dict[Name, dict[Name, JsonValue]] = {}
