"""What the ends of a flow are called, and where in the hospital they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.design.flow import CONTROL, INTERNAL, MANAGED, ZONE_PREFIX
from wardround.model.architecture import ZoneKind

if TYPE_CHECKING:
    from wardround.model.design import Design, DesignFlow, DesignHost

_SAID: Final = {CONTROL: "the control node", MANAGED: "every managed host", INTERNAL: "every internal zone"}

GROUPS: Final = (MANAGED, INTERNAL)
"""Words that mean so much of a hospital that they are better drawn as one thing."""


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where a flow begins or ends: a group, a zone as a whole, or one component in one zone."""

    group: str = ""
    zone: str = ""
    component: str = ""


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """One end of a flow: the architecture's words, and the hosts that the flow means by them.

    A flow may mean fewer than all hosts of a word, such as the devices of one model.
    """

    words: tuple[str, ...]
    hosts: frozenset[str]


def source_of(flow: DesignFlow) -> FlowEnd:
    """Give the end that opens connections."""
    return FlowEnd(flow.source_words, frozenset(flow.source_hosts))


def destination_of(flow: DesignFlow) -> FlowEnd:
    """Give the end that is connected to."""
    return FlowEnd(flow.destination_words, frozenset(flow.destination_hosts))


def end_name(design: Design, end: FlowEnd) -> str:
    """Say an end as people do: `every managed host`, `zone x_internet, modality`, `analyser (only chem01)`."""
    return ", ".join(name for word in end.words if (name := _name(design, word, end)))


def word_name(word: str) -> str:
    """Say one of the architecture's words."""
    return f"zone {word.removeprefix(ZONE_PREFIX)}" if word.startswith(ZONE_PREFIX) else _SAID.get(word, word)


def places(design: Design, end: FlowEnd) -> tuple[Place, ...]:
    """Find where an end is in this hospital, sorted; a word without members is nowhere."""
    return tuple(sorted({place for word in end.words for place in _places(design, word, end)}))


def group_extent(design: Design, group: str) -> str:
    """Say how much of this hospital a group is."""
    if group == MANAGED:
        managed = design.managed_hosts()
        return f"{len(managed)} hosts in {len({host.zone for host in managed})} zones"
    return f"{len(_internal_zones(design))} zones"


def _name(design: Design, word: str, end: FlowEnd) -> str:
    """Say a word and what of it is meant; nothing where the flow means none of it."""
    members = _members(design, word)
    meant = [host.name for host in members if host.name in end.hosts]
    if len(meant) == len(members):
        return word_name(word)
    return f"{word_name(word)} (only {', '.join(meant)})" if meant else ""


def _places(design: Design, word: str, end: FlowEnd) -> set[Place]:
    members = _members(design, word)
    meant = {Place(zone=host.zone, component=host.component) for host in members if host.name in end.hosts}
    if not all(host.name in end.hosts for host in members):
        return meant
    if word in GROUPS:
        return {Place(group=word)}
    if word == CONTROL:
        return {Place(zone=design.control.zone, component=CONTROL)}
    if word.startswith(ZONE_PREFIX):
        return {Place(zone=zone.name) for zone in design.zones if zone.name == word.removeprefix(ZONE_PREFIX)}
    return meant


def _members(design: Design, word: str) -> tuple[DesignHost, ...]:
    """Give the hosts that a word means where nothing narrows it."""
    if word == CONTROL:
        return ()
    if word == MANAGED:
        return design.managed_hosts()
    if word == INTERNAL:
        inside = _internal_zones(design)
        return tuple(host for host in design.hosts if host.zone in inside)
    if word.startswith(ZONE_PREFIX):
        return tuple(host for host in design.hosts if host.zone == word.removeprefix(ZONE_PREFIX))
    return tuple(host for host in design.hosts if host.component == word)


def _internal_zones(design: Design) -> frozenset[str]:
    return frozenset(zone.name for zone in design.zones if zone.kind is not ZoneKind.EXTERNAL)
