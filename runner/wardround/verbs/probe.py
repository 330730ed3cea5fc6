"""probe: the design's clinical questions, each asked by a host that a flow allows to ask."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wardround.drift.judge import Judgement
from wardround.drift.observe import PROBE_ROLE
from wardround.model.architecture import ProbeKind
from wardround.model.run import Coverage, HostVerdict, RunKind, TaskVerdict, Verdict
from wardround.probe import dicom, mllp, radius, web
from wardround.probe.answer import Reply
from wardround.transport import remote
from wardround.transport.relay import Order, Relay, RelayError, relayed
from wardround.transport.ssh import Command, ask
from wardround.verbs.judged_run import JudgedRun, judged_run, login_of

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.model.design import Design, DesignProbe
    from wardround.transport.ssh import Login
    from wardround.verbs.opening import OpenHospital

SECONDS = 20.0
"""How long a service has for each answer."""
MINIMUM_DAYS = 30
"""How long a certificate that a service shows must still be good."""
_RADIUS = Path(str(remote.__path__[0])) / "radius.py"


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe and what came of it."""

    probe: DesignProbe
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Probing:
    """A finished round of probes."""

    run: JudgedRun
    asked: tuple[Asked, ...]


def probe(opened: OpenHospital, ledger: Ledger, forks: int) -> Probing:
    """Ask every probe of the design; nothing is changed, save for the synthetic image that a storage probe leaves."""
    asked: list[Asked] = []

    def look() -> Judgement:
        asked.extend(_ask_all(opened, forks))
        return judgement_of(tuple(asked))

    run = judged_run(opened, ledger, RunKind.PROBE, look)
    return Probing(run, tuple(asked))


def _ask_all(opened: OpenHospital, forks: int) -> tuple[Asked, ...]:
    login = login_of(opened)
    with ThreadPoolExecutor(max_workers=forks) as pool:
        return tuple(pool.map(lambda each: _ask(each, opened.design, login), opened.design.probes))


def _ask(probe: DesignProbe, design: Design, login: Login) -> Asked:
    host = next(str(host.address) for host in design.hosts if host.name == probe.source)
    if probe.kind is ProbeKind.RADIUS_MAB:
        return _ask_radius(probe, host, login)
    try:
        with relayed(login, host, order_of(probe)) as relay:
            reply = _reply(probe, design.hospital, relay)
    except RelayError as failed:
        verdict = Verdict.DRIFTED if failed.host_answered else Verdict.UNKNOWN
        return Asked(probe, verdict, failed.message)
    return _asked(probe, reply)


def _asked(probe: DesignProbe, reply: Reply) -> Asked:
    return Asked(probe, Verdict.IN_SYNC if reply.good else Verdict.DRIFTED, reply.words)


def order_of(probe: DesignProbe) -> Order:
    """Say where the asking host connects to."""
    order = Order(str(probe.address), probe.port, SECONDS, probe.tls_name)
    if probe.kind is not ProbeKind.HTTPS_TUNNEL:
        return order
    said = _words(probe)
    return replace(order, name=said["host"], tunnel=f"{said['host']}:{said['port']}", authorities=said["authorities"])


def _ask_radius(probe: DesignProbe, host: str, login: Login) -> Asked:
    devices = radius.one_of_each_vlan(probe.settings["devices"])
    question = radius.Question(str(probe.address), probe.port, probe.source, tuple(device.mac for device in devices))
    words = ("sudo", "-n", "python3", "-c", _RADIUS.read_text(encoding="utf-8"))
    answer = ask(login, host, Command(words, json.dumps(asdict(question))))
    if answer.failure:
        return Asked(probe, Verdict.UNKNOWN, answer.failure)
    return _asked(probe, radius.judged(devices, answer.output))


def _words(probe: DesignProbe) -> dict[str, str]:
    return {name: str(value) for name, value in probe.settings.items()}


def _reply(probe: DesignProbe, hospital: str, relay: Relay) -> Reply:
    said = _words(probe)
    moment = datetime.now(UTC)
    match probe.kind:
        case ProbeKind.DICOM_ECHO:
            return dicom.echo(relay.port, dicom.Titles(said["calling"], said["called"]), SECONDS)
        case ProbeKind.DICOM_STORE:
            return dicom.store(relay.port, dicom.Titles(said["calling"], said["called"]), hospital, SECONDS)
        case ProbeKind.HL7_MLLP_ACK:
            stamp = f"{moment:%Y%m%d%H%M%S}"
            message = mllp.result_message(f"WR{stamp}", stamp, said["sender"], said["receiver"])
            return mllp.send_result(relay.port, message, SECONDS)
        case ProbeKind.HTTPS | ProbeKind.HTTPS_TUNNEL:
            host = said.get("host", probe.tls_name)
            return web.fetch(relay.port, host, said["path"], int(said["status"]), SECONDS)
        case ProbeKind.TLS:
            return web.handshake(relay.tls, relay.expires, moment, MINIMUM_DAYS)
        case ProbeKind.TCP:
            return Reply(good=True, words="connected")
    message = f"a probe of kind {probe.kind.value} is not asked through a relay"
    raise LookupError(message)


def judgement_of(asked: tuple[Asked, ...]) -> Judgement:
    """Give the answers as verdicts of the hosts that asked."""
    verdicts = tuple(_verdict(each) for each in asked)
    sources = sorted({each.host for each in verdicts})
    hosts = tuple(_host(name, Counter(each.verdict for each in verdicts if each.host == name)) for name in sources)
    coverage = Coverage(
        hosts=len(hosts),
        hosts_seen=sum(host.reachable for host in hosts),
        checks=len(verdicts),
        unknown=sum(host.unknown for host in hosts),
    )
    return Judgement(verdicts, hosts, coverage)


def _verdict(each: Asked) -> TaskVerdict:
    return TaskVerdict(
        host=each.probe.source,
        role=PROBE_ROLE,
        task=f"{each.probe.id} {each.probe.kind.value}",
        tags=(),
        path="",
        resource=f"{each.probe.destination} {each.probe.address}:{each.probe.port}",
        verdict=each.verdict,
        reason="" if each.verdict is Verdict.IN_SYNC else each.words,
    )


def _host(name: str, counts: Counter[Verdict]) -> HostVerdict:
    return HostVerdict(
        host=name,
        reachable=counts[Verdict.UNKNOWN] < counts.total(),
        checks=counts.total(),
        in_sync=counts[Verdict.IN_SYNC],
        drifted=counts[Verdict.DRIFTED],
        unknown=counts[Verdict.UNKNOWN],
        not_applicable=0,
        failed=0,
    )
