"""The base of every model, and the scalar types that architectures and manifests share.

Documents are validated in JSON mode (`Model.model_validate_json`): there, strict means what a hospital engineer expects
(no number becomes a text, no text becomes a switch), while lists and addresses still have a written form.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = [
    "AeTitle",
    "ComponentName",
    "Criticality",
    "FlowId",
    "HostName",
    "JsonValue",
    "MacAddress",
    "Model",
    "Name",
    "Platform",
    "Semver",
    "Text",
    "VariableName",
]


class Model(BaseModel):
    """A value: it never changes after it was built and has no key that was not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
"""An identifier of an architecture, zone, component, service or parameter."""

ComponentName = Name
VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,80}$")]
"""A public variable of a role."""

HostName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""One DNS label (RFC 1123 section 2.1), lower case."""

FlowId = Annotated[str, Field(pattern=r"^F-[A-Z]{2,4}-[0-9]{2,3}$")]
Semver = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")]
MacAddress = Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]
"""An IEEE 802 MAC address in lower case with colons."""

AeTitle = Annotated[str, Field(pattern=r"^[A-Z0-9_-]{1,16}$")]
"""A DICOM application entity title (PS3.5 section 6.2, VR AE), in the characters that every device can enter."""

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class Criticality(StrEnum):
    """What a fault of the asset means for care; decides windows, waves and approvals."""

    LIFE = "life"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Platform(StrEnum):
    """How wardround may touch a component: by Ansible, by a device's CLI, or never."""

    MANAGED = "managed"
    NETWORK = "network"
    UNMANAGED = "unmanaged"
