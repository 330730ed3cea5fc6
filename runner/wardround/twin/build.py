"""The building of a twin: containers that are missing are made, stopped ones started, all wired, and boots awaited."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wardround.twin.boot import Help, await_answers, await_system
from wardround.twin.capacity import INSTANCES_A_HOST, check_room, free_instances
from wardround.twin.containers import (
    KILLED,
    Container,
    Found,
    bystander_container,
    ensure_running,
    find,
    first_process,
    gateway_container,
    host_container,
    remove,
    restart,
    tenant_container,
)
from wardround.twin.credentials import HostKey
from wardround.twin.furniture import File
from wardround.twin.network import plug
from wardround.twin.plan import GATEWAY, Lab
from wardround.twin.podman import Flags
from wardround.twin.wiring import gateway_commands, machine_commands

_AT_ONCE = 4

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Build:
    """What is built, and who is told of each step."""

    lab: Lab
    specs: dict[str, Container]
    flags: Flags
    report: Report

    def remove_useless(self) -> bool:
        """Remove containers that are described otherwise, or no longer, or were killed; tell whether one was."""
        found = find(self.lab.hospital.name).values()
        useless = {one.name: reason for one in found if (reason := self._uselessness(one)) is not None}
        for name, reason in useless.items():
            self.report(f"removing {name}, {reason}")
        remove(tuple(useless))
        return bool(useless)

    def start_all(self) -> bool:
        """Start and wire every container, several at once; return whether one had to be."""
        found = find(self.lab.hospital.name)
        missing = [host for host in self.specs if host not in found or found[host].state != "running"]
        booting = sum(self.specs[host].boots for host in missing)
        check_room(free_instances(booting * INSTANCES_A_HOST), booting)
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            steps = [pool.submit(self._start, spec, found.get(host)) for host, spec in self.specs.items()]
        # Leaving the block has waited for every step, so each one's error counts.
        return any(tuple(step.result() for step in steps))

    def await_boot(self) -> bool:
        """Wait until every host answers over SSH and the ERP has booted; return whether one had to be helped."""
        hosts, tenant = self.lab.hospital.hosts, self.lab.hospital.tenant
        addresses = {host.name: str(host.address) for host in hosts}
        containers = {host.name: self.lab.container(host.name) for host in hosts}
        helped = await_answers(addresses, containers, self._help)
        if tenant is not None:
            await_system(self.lab.container(tenant.name))
        return bool(helped)

    def _uselessness(self, found: Found) -> str | None:
        if found.host not in self.specs or self.specs[found.host].digest != found.digest:
            return "which the manifest describes otherwise or no longer"
        return "whose processes somebody killed" if found.state == KILLED else None

    def _start(self, spec: Container, found: Found | None) -> bool:
        started = ensure_running(spec, found, self.lab.hospital.name, self.flags)
        if started:
            self.report(f"started {spec.host.lstrip('-')}")
        return self._plug(spec) or started

    def _plug(self, spec: Container) -> bool:
        if spec.host == GATEWAY:
            legs, commands = self.lab.gateway_legs(), gateway_commands(self.lab)
        else:
            machine = self.lab.machine(spec.host)
            legs, commands = self.lab.legs(machine), machine_commands(self.lab, machine)
        return plug(self.lab, legs, first_process(spec.name), commands)

    def _help(self, host: str, needed: Help) -> None:
        spec = self.specs[host]
        if needed is Help.RESTART:
            self.report(f"restarting {host}, whose SSH server does not answer")
            restart(spec.name, self.flags)
            self._plug(spec)
        else:
            self.report(f"making {host} anew, whose boot hangs")
            remove((spec.name,))
            self._start(spec, None)


def container_specs(
    lab: Lab, keys: dict[str, HostKey], automation: str, upstream: dict[str, str], tenant_files: tuple[File, ...] = ()
) -> dict[str, Container]:
    """Return every container of a twin by host; first a gateway of its own, where no managed host is the gateway.

    Args:
        lab: the twin.
        keys: SSH host keys by host.
        automation: public key that the automation account trusts.
        upstream: addresses of mirror hosts by name, for a host with an uplink.
        tenant_files: what tells the ERP from others, where the hospital has one.
    """
    specs = {GATEWAY: gateway_container(lab)} if lab.gateway_host is None else {}
    for host in lab.hospital.hosts:
        known = upstream if host.uplink else {}
        specs[host.name] = host_container(lab, host, keys[host.name], automation, known)
    specs |= {each.name: bystander_container(lab, each) for each in lab.hospital.bystanders}
    if lab.hospital.tenant is not None:
        specs[lab.hospital.tenant.name] = tenant_container(lab, lab.hospital.tenant, tenant_files)
    return specs
