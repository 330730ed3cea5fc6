"""Keys, certificate, host keys and secrets of a twin, made on this machine and kept in its state folder (0700)."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificate,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
    load_ssh_public_identity,
)

from wardround.errors import TwinError
from wardround.model.design import DesignSecret
from wardround.twin.command import run
from wardround.twin.mirror import Mirror
from wardround.twin.plan import TwinHospital

ACCOUNT = "wardround"
"""The automation account on every host."""

PRINCIPAL = "wardround-automation"
"""The principal of the user certificate (OpenSSH PROTOCOL.certkeys) that a hardened host accepts for the account."""

Secret = str | dict[str, str]
"""A text, or a text for each of some names."""

Parameters = dict[str, dict[str, str]]
"""Answers to parameters, by architecture."""

CERTIFICATE_LIFE = timedelta(hours=24)

_RENEW_BEFORE = timedelta(hours=12)
_CLOCK_SKEW = timedelta(minutes=5)
_HASH_ENDING = "_hash"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's SSH key pair, both halves as OpenSSH writes them."""

    private: str
    public: str


def ensure_credentials(
    hospital: TwinHospital, state_dir: Path, mirror: Mirror, parameters: Parameters | None = None
) -> dict[str, HostKey]:
    """Make what is missing in the state folder, keep what is there, and return the host keys by host name.

    Args:
        hospital: whose twin it is.
        state_dir: the twin's folder.
        mirror: where packages come from.
        parameters: what else the overlay answers.
    """
    automation = ensure_key(state_dir / "id_ed25519", ACCOUNT)
    authority = ensure_key(state_dir / "user_ca", f"{hospital.name} user CA")
    certificate = state_dir / "id_ed25519-cert.pub"
    if not _still_valid(certificate, automation, authority, datetime.now(UTC)):
        write_private(certificate, issue_certificate(automation, authority, datetime.now(UTC)) + "\n")
    folder = state_dir / "host_keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    keys = {host.name: ensure_key(folder / host.name, host.name) for host in hospital.hosts}
    write_private(state_dir / "known_hosts", known_hosts(hospital, keys))
    write_private(state_dir / "ssh_config", ssh_config(hospital, state_dir))
    write_private(state_dir / "overlay.yml", overlay(authority, mirror, parameters))
    _ensure_secrets(state_dir, hospital.secrets)
    return keys


def ensure_key(path: Path, comment: str) -> HostKey:
    """Read the key pair at `path` and `path`.pub, or make one."""
    if path.exists():
        private = path.read_text(encoding="ascii")
    else:
        raw = Ed25519PrivateKey.generate()
        private = raw.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        write_private(path, private)
    public = load_ssh_private_key(private.encode(), None).public_key()
    line = f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"
    write_private(path.with_name(f"{path.name}.pub"), f"{line}\n")
    return HostKey(private, line)


def issue_certificate(automation: HostKey, authority: HostKey, now: datetime) -> str:
    """Sign the automation key for its principal, for 24 hours, without the right to forward anything."""
    signer = load_ssh_private_key(authority.private.encode(), None)
    subject = load_ssh_private_key(automation.private.encode(), None).public_key()
    if not isinstance(signer, Ed25519PrivateKey):
        raise TwinError("the user CA is not an Ed25519 key", remedy="remove the twin and build it again")
    builder = (
        SSHCertificateBuilder()
        .public_key(subject)  # type: ignore[arg-type]  # a DSA key, the only other kind, is never made here
        .serial(secrets.randbits(63))
        .type(SSHCertificateType.USER)
        .key_id(b"wardround twin automation")
        .valid_principals([PRINCIPAL.encode()])
        .valid_after((now - _CLOCK_SKEW).timestamp())
        .valid_before((now + CERTIFICATE_LIFE).timestamp())
        .add_extension(b"permit-pty", b"")
    )
    return builder.sign(signer).public_bytes().decode()


def known_hosts(hospital: TwinHospital, keys: dict[str, HostKey]) -> str:
    """Render known_hosts (sshd(8)): every host by name and address, known before the first contact."""
    lines = []
    for host in hospital.hosts:
        kind, blob = keys[host.name].public.split()[:2]
        lines.append(f"{host.name},{host.address} {kind} {blob}\n")
    return "".join(lines)


def ssh_config(hospital: TwinHospital, state_dir: Path) -> str:
    """Render the configuration with which `ssh -F` reaches every host by its name, strictly (ssh_config(5))."""
    hosts = "".join(f"Host {host.name}\n    HostName {host.address}\n" for host in hospital.hosts)
    return f"""{hosts}Host *
    User {ACCOUNT}
    IdentityFile {state_dir}/id_ed25519
    CertificateFile {state_dir}/id_ed25519-cert.pub
    IdentitiesOnly yes
    UserKnownHostsFile {state_dir}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    HostKeyAlgorithms ssh-ed25519
    ConnectTimeout 10
"""


def overlay(authority: HostKey, mirror: Mirror, parameters: Parameters | None = None) -> str:
    """Render what only this machine knows about the hospital's parameters: the baseline's, and those given."""
    baseline = {
        "ssh_user_ca_keys": [authority.public],
        "debian_upstream": mirror.archive,
        "debian_security_upstream": mirror.security,
    }
    if mirror.proxy:
        baseline["debian_upstream_proxy"] = mirror.proxy
    others = parameters or {}
    whole = {**others, "baseline": {**others.get("baseline", {}), **baseline}}
    return yaml.safe_dump({"parameters": whole}, sort_keys=True, width=1000)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that it is either the old one or the whole new one; leave an equal one alone."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    fresh.replace(path)


def _still_valid(path: Path, automation: HostKey, authority: HostKey, now: datetime) -> bool:
    if not path.exists():
        return False
    certificate = load_ssh_public_identity(path.read_bytes())
    if not isinstance(certificate, SSHCertificate):
        return False
    ours = (_blob(automation), _blob(authority))
    theirs = tuple(
        key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        for key in (certificate.public_key(), certificate.signature_key())
    )
    return ours == theirs and certificate.valid_before > (now + _RENEW_BEFORE).timestamp()


def _blob(key: HostKey) -> str:
    return " ".join(key.public.split()[:2])


def fresh_secrets(wanted: tuple[DesignSecret, ...], known: dict[str, Secret]) -> dict[str, Secret]:
    """Give the secrets that a twin's vault holds from now on: those that it has, and new ones for what it lacks."""
    whole = dict(known)
    for secret in sorted(wanted, key=lambda each: each.same_as is not None):
        if secret.same_as is not None:
            whole[secret.variable] = whole[secret.same_as]
        elif secret.names is not None:
            had = whole.get(secret.variable)
            texts = had if isinstance(had, dict) else {}
            whole[secret.variable] = {name: texts.get(name) or secrets.token_urlsafe(24) for name in secret.names}
        elif secret.variable not in whole:
            whole[secret.variable] = _text_for(secret.variable)
    return whole


def _text_for(variable: str) -> str:
    text = secrets.token_urlsafe(24)
    if not variable.endswith(_HASH_ENDING):
        return text
    return run(("openssl", "passwd", "-6", "-stdin"), stdin=text + "\n").strip()


def _ensure_secrets(state_dir: Path, wanted: tuple[DesignSecret, ...]) -> None:
    password_file, vault = state_dir / "vault_password", state_dir / "secrets.yml"
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(32) + "\n")
    known: dict[str, Secret] = {}
    if vault.exists():
        known = yaml.safe_load(_vault("decrypt", password_file, vault.read_text(encoding="ascii")))
    whole = fresh_secrets(wanted, known)
    if whole != known or not vault.exists():
        write_private(vault, _vault("encrypt", password_file, yaml.safe_dump(whole, width=1000)))


def _vault(action: str, password_file: Path, text: str) -> str:
    # Ansible is GPL: its vault is used as a command, never imported.
    program = Path(sys.executable).with_name("ansible-vault")
    command = str(program) if program.exists() else "ansible-vault"
    return run((command, action, "--vault-password-file", str(password_file), "--output", "-"), stdin=text)
