"""Device models: what manufacturers' documents say of medical devices, which no hospital can decide for itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from wardround.model.base import Model, Name, Text

ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
"""A device model as manifests write it, such as `example-ct`."""

DevicePort = (
    Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(pattern=r"^[0-9]{1,5}-[0-9]{1,5}$", max_length=11)]
)
"""A port or a range `5000-5010`."""


class SourceDocument(Model):
    """Where a fact about a device stands: the manufacturer's document, its revision, and when it was read."""

    title: Text
    revision: Text
    read: date
    section: Text | None = None


class DeviceModel(Model):
    """One model of a medical device."""

    summary: Text
    source: SourceDocument
    ports: dict[Name, Annotated[tuple[DevicePort, ...], Field(min_length=1)]] = {}
    """Service → the ports that this model listens on or connects to, for services whose port is `site`."""


class DeviceCatalogue(Model):
    """All known device models: `reference_architectures/device_models.yml`."""

    models: dict[ModelName, DeviceModel] = {}
