"""What the ends of a flow are called, and where in the hospital they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.design.flow import CONTROL, INTERNAL, MANAGED, ZONE_PREFIX
from wardround.model.architecture import ZoneKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.model.design import Design

_SAID: Final = {CONTROL: "the control node", MANAGED: "every managed host", INTERNAL: "every internal zone"}

GROUPS: Final = (MANAGED, INTERNAL)
"""Words that mean so much of a hospital that they are better drawn as one thing."""


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where a flow begins or ends: a group, a zone as a whole, or one component in one zone."""

    group: str = ""
    zone: str = ""
    component: str = ""


def end_name(word: str) -> str:
    """Say one word of a flow's end as people do: `every managed host`, `zone x_internet`, `modality`."""
    if word.startswith(ZONE_PREFIX):
        return f"zone {word.removeprefix(ZONE_PREFIX)}"
    return _SAID.get(word, word)


def end_names(words: Iterable[str]) -> str:
    """Say all words of a flow's end."""
    return ", ".join(end_name(word) for word in words)


def group_extent(design: Design, group: str) -> str:
    """Say how much of this hospital a group is."""
    if group == MANAGED:
        managed = design.managed_hosts()
        return f"{len(managed)} hosts in {len({host.zone for host in managed})} zones"
    return f"{sum(zone.kind is not ZoneKind.EXTERNAL for zone in design.zones)} zones"


def places(design: Design, words: Iterable[str]) -> tuple[Place, ...]:
    """Find where a flow's end is in this hospital, sorted; a word without members is nowhere."""
    found: set[Place] = set()
    zones = {zone.name for zone in design.zones}
    for word in words:
        if word in GROUPS:
            found.add(Place(group=word))
        elif word == CONTROL:
            found.add(Place(zone=design.control.zone, component=CONTROL))
        elif word.startswith(ZONE_PREFIX):
            found |= {Place(zone=name) for name in zones & {word.removeprefix(ZONE_PREFIX)}}
        else:
            found |= {Place(zone=host.zone, component=word) for host in design.hosts if host.component == word}
    return tuple(sorted(found))
