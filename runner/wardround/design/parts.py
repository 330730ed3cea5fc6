"""The architectures of one hospital seen as one: which component, role, service or zone comes from where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.model.architecture import Architecture, Component, Control, Flow, Parameter, Service, ZoneTemplate
    from wardround.model.source import Variables


@dataclass(frozen=True, slots=True)
class OwnedComponent:
    """A component and the architecture that it belongs to."""

    architecture: str
    component: Component


@dataclass(frozen=True, slots=True)
class Parts:
    """All architectures of a hospital, required ones first, with their names joined."""

    architectures: tuple[Architecture, ...]
    components: dict[str, OwnedComponent]
    zones: dict[str, ZoneTemplate]
    services: dict[str, Service]
    role_order: tuple[str, ...]

    def parameters(self, architecture: str) -> dict[str, Parameter]:
        """Give the parameters of one architecture, none for one that the hospital does not have."""
        return next((each.parameters for each in self.architectures if each.name == architecture), {})

    def everywhere_roles(self) -> frozenset[str]:
        """Give the roles that every managed host gets."""
        return frozenset(role for each in self.architectures for role in each.everywhere.roles)

    def everywhere_variables(self) -> tuple[tuple[str, Variables], ...]:
        """Give the variables that every managed host gets, with the architecture that sets them."""
        return tuple((each.name, each.everywhere.variables) for each in self.architectures)

    def flows(self) -> tuple[Flow, ...]:
        """Give every flow, in the order of its id."""
        return tuple(sorted((flow for each in self.architectures for flow in each.flows), key=lambda flow: flow.id))

    def controls(self) -> tuple[Control, ...]:
        """Give every control, in the order of its id."""
        return tuple(sorted((one for each in self.architectures for one in each.controls), key=lambda one: one.id))


def join(architectures: tuple[Architecture, ...]) -> Parts:
    """Join the architectures of a hospital; `architectures` has required ones before those that require them.

    A zone that several architectures name is one zone, and required where one of them requires it. That they mean the
    same by it, and that a component or service belongs to one architecture only, is what `architecture_faults` checks.
    """
    components: dict[str, OwnedComponent] = {}
    zones: dict[str, ZoneTemplate] = {}
    services: dict[str, Service] = {}
    for each in architectures:
        for name, component in each.components.items():
            components.setdefault(name, OwnedComponent(each.name, component))
        for name, zone in each.zones.items():
            required = zone.required or (name in zones and zones[name].required)
            zones[name] = zone.model_copy(update={"required": required})
        for name, service in each.services.items():
            services.setdefault(name, service)
    return Parts(architectures, components, zones, services, in_order(each.roles for each in architectures))


def in_order(wanted: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Join orders of roles into one that keeps them all; roles stand as they were named first, behind what they need.

    Orders that contradict each other are told by `architecture_faults`.
    """
    before: dict[str, set[str]] = {}
    for roles in wanted:
        for role in roles:
            before.setdefault(role, set())
        for first, second in pairwise(roles):
            before[second].add(first)
    ordered: dict[str, None] = {}

    def take(role: str, for_whom: frozenset[str]) -> None:
        """Take what a role needs and then the role; nothing else passes those that were named before it."""
        for each in before:
            if each in before[role] - ordered.keys() - for_whom:
                take(each, for_whom | {role})
        ordered.setdefault(role)

    for role in before:
        take(role, frozenset({role}))
    return tuple(ordered)
