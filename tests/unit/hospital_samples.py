"""A small architecture and a hospital that fits it, for tests that change one thing about them."""

from __future__ import annotations

import copy
import json
from typing import Any

from wardround.design.parts import Parts, join
from wardround.design.resolve import Pinned, resolve
from wardround.model.architecture import Architecture
from wardround.model.design import Design
from wardround.model.hospital import Hospital

Data = dict[str, Any]

ARCHITECTURE: Data = {
    "name": "ward",
    "version": "1.0.0",
    "summary": "A ward",
    "supported_until": "2030-12-31",
    "parameters": {
        "title": {"type": "string", "default": "WARD", "pattern": "^[A-Z]{1,8}$", "description": "A title"},
        "people": {"type": "accounts", "default": [], "description": "Who may log in"},
    },
    "zones": {
        "servers": {"purpose": "servers", "kind": "server", "required": True},
        "devices": {"purpose": "devices", "kind": "device"},
        "landing": {"purpose": "control", "kind": "management", "required": True},
        "outside": {"purpose": "the internet", "kind": "external"},
        "vendor": {"purpose": "somebody's network", "kind": "external"},
    },
    "roles": ["first", "second", "third"],
    "everywhere": {
        "roles": ["first", "third"],
        "variables": {
            "first_title": {"parameter": "title"},
            "first_names": {"own": "names"},
            "first_inbound": {"flows": "inbound"},
            "first_outbound": {"flows": "outbound"},
        },
    },
    "components": {
        "server": {
            "summary": "A server",
            "platform": "managed",
            "zones": ["servers"],
            "criticality": "medium",
            "count": {"min": 1, "max": 200},
            "roles": ["second"],
            "variables": {"second_people": {"parameter": "people"}},
        },
        "switch": {
            "summary": "A switch",
            "platform": "network",
            "zones": ["landing"],
            "criticality": "low",
            "variables": {"first_zone": {"own": "zone"}},
        },
        "monitor": {
            "summary": "A bedside monitor",
            "platform": "unmanaged",
            "zones": ["devices"],
            "criticality": "life",
        },
    },
    "services": {
        "ssh": {"protocols": ["tcp"], "ports": [22], "standard": "RFC 4253"},
        "dns": {"protocols": ["udp", "tcp"], "ports": [53], "standard": "RFC 1035"},
        "radius": {"protocols": ["udp"], "ports": ["1812-1813"], "standard": "RFC 2865"},
        "https": {"protocols": ["tcp"], "ports": [443, 8443], "standard": "RFC 9110"},
    },
    "flows": [
        {"id": "F-WRD-01", "from": ["control"], "to": ["managed"], "service": "ssh", "purpose": "work"},
        {"id": "F-WRD-02", "from": ["internal"], "to": ["server"], "service": "dns", "purpose": "names"},
        {"id": "F-WRD-03", "from": ["monitor"], "to": ["server"], "service": "https", "purpose": "values"},
        {"id": "F-WRD-04", "from": ["server"], "to": ["zone:outside"], "service": "https", "purpose": "updates"},
        {
            "id": "F-WRD-05",
            "from": ["server"],
            "to": ["zone:outside", "monitor"],
            "service": "radius",
            "purpose": "both at once",
        },
        {"id": "F-WRD-06", "from": ["zone:vendor"], "to": ["zone:devices"], "service": "https", "purpose": "support"},
    ],
}

MANIFEST: Data = {
    "hospital": "st-test",
    "name": "St. Test",
    "timezone": "Europe/Berlin",
    "domain": "st-test.internal",
    "architecture": {"ward": "1.0.0"},
    "control": {"zone": "landing", "address": "10.0.9.10"},
    "zones": {
        "servers": {"subnet": "10.0.1.0/24", "vlan": 101},
        "devices": {"subnet": "10.0.2.0/24"},
        "landing": {"subnet": "10.0.9.0/24"},
        "outside": {"subnet": "0.0.0.0/0"},
        "vendor": {"subnet": "203.0.113.7/32"},
    },
    "hosts": {
        "srv01": {
            "component": "server",
            "address": "10.0.1.11",
            "release": "debian-12",
            "owner": "it",
            "window": "night",
            "restart": "in_window",
        },
        "sw01": {
            "component": "switch",
            "address": "10.0.9.2",
            "owner": "it",
            "window": "night",
            "restart": "never",
        },
        "mon01": {
            "component": "monitor",
            "address": "10.0.2.11",
            "mac": "02:00:5e:00:02:11",
            "owner": "it",
            "window": "night",
            "restart": "never",
            "fallback": "a nurse",
        },
    },
    "windows": {"night": {"days": ["sun"], "from": "01:00", "to": "04:00"}},
    "contacts": {"it": {"name": "IT"}},
}


def manifest() -> Data:
    """Give a manifest of one's own to change."""
    return copy.deepcopy(MANIFEST)


def architecture_data() -> Data:
    """Give an architecture of one's own to change."""
    return copy.deepcopy(ARCHITECTURE)


def architecture(data: Data | None = None) -> Architecture:
    """Validate an architecture, the sample where none is given."""
    return Architecture.model_validate_json(json.dumps(data or ARCHITECTURE))


def hospital(data: Data | None = None) -> Hospital:
    """Validate a manifest, the sample where none is given."""
    return Hospital.model_validate_json(json.dumps(data or MANIFEST))


def parts(data: Data | None = None) -> Parts:
    """Join one architecture with nothing."""
    return join((architecture(data),))


def design(data: Data | None = None, of: Data | None = None) -> Design:
    """Resolve a manifest against one architecture."""
    return resolve(hospital(data), (Pinned(architecture(of), "0" * 64),))
