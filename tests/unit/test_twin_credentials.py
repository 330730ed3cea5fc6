"""Keys and certificate of a twin."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from tests.unit.test_twin_plan import hospital
from wardround.load.validation import load
from wardround.model.design import DesignSecret
from wardround.model.overlay import Overlay
from wardround.twin.credentials import (
    PRINCIPAL,
    HostKey,
    ensure_key,
    fresh_secrets,
    issue_certificate,
    known_hosts,
    overlay,
    ssh_config,
    write_private,
)
from wardround.twin.mirror import Mirror

pytestmark = pytest.mark.unit

MIRROR = Mirror("http://a.example/debian", "http://a.example/security", "")


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "id_ed25519"
    made = ensure_key(path, "someone")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_key(path, "someone") == made
    assert made.public.startswith("ssh-ed25519 ")
    assert (tmp_path / "id_ed25519.pub").read_text() == made.public + "\n"


def test_the_certificate_is_short_lived_and_for_one_principal(tmp_path: Path) -> None:
    now = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    signed = issue_certificate(ensure_key(tmp_path / "id", "a"), ensure_key(tmp_path / "ca", "b"), now)
    certificate = load_ssh_public_identity(signed.encode())
    assert isinstance(certificate, SSHCertificate)
    certificate.verify_cert_signature()
    assert certificate.valid_principals == [PRINCIPAL.encode()]
    assert certificate.valid_before == int((now + timedelta(hours=24)).timestamp())
    assert list(certificate.extensions) == [b"permit-pty"]


def test_hosts_are_known_by_name_and_address() -> None:
    keys = {name: HostKey("", f"ssh-ed25519 {name.upper()} comment") for name in ("infra01", "patch01")}
    assert known_hosts(hospital(), keys).splitlines() == [
        "infra01,10.90.1.10 ssh-ed25519 INFRA01",
        "patch01,10.90.2.10 ssh-ed25519 PATCH01",
    ]


def test_ssh_is_strict(tmp_path: Path) -> None:
    text = ssh_config(hospital(), tmp_path)
    assert "StrictHostKeyChecking yes" in text
    assert "GlobalKnownHostsFile /dev/null" in text
    assert f"UserKnownHostsFile {tmp_path}/known_hosts" in text


def test_the_overlay_names_the_user_ca_and_the_mirror() -> None:
    baseline = yaml.safe_load(overlay(HostKey("", "ssh-ed25519 CA comment"), MIRROR))["parameters"]["baseline"]
    assert baseline == {
        "ssh_user_ca_keys": ["ssh-ed25519 CA comment"],
        "debian_upstream": "http://a.example/debian",
        "debian_security_upstream": "http://a.example/security",
    }
    proxied = yaml.safe_load(overlay(HostKey("", "ca"), Mirror("a", "b", "http://p.example:3142")))
    assert proxied["parameters"]["baseline"]["debian_upstream_proxy"] == "http://p.example:3142"


def test_the_overlay_also_answers_what_it_is_given(tmp_path: Path) -> None:
    authority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    file = tmp_path / "overlay.yml"
    file.write_text(overlay(HostKey("", "ca"), MIRROR, {"way_out": {"tenant_authorities": authority}}))
    parameters = load(file, Overlay).model.parameters
    assert parameters["way_out"] == {"tenant_authorities": authority}
    assert parameters["baseline"]["ssh_user_ca_keys"] == ["ca"]


def test_an_overlay_of_the_baseline_keeps_what_it_is_given() -> None:
    whole = yaml.safe_load(overlay(HostKey("", "ca"), MIRROR, {"baseline": {"tenant_authorities": "text"}}))
    assert {"tenant_authorities", "ssh_user_ca_keys"} <= whole["parameters"]["baseline"].keys()


def test_an_equal_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "one\n")
    before = path.stat()
    write_private(path, "one\n")
    assert path.stat().st_ino == before.st_ino
    write_private(path, "two\n")
    assert path.read_text() == "two\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_vault_keeps_what_it_has_and_gets_what_it_lacks() -> None:
    word, words = DesignSecret(variable="word"), DesignSecret(variable="words", names=("one", "two"))
    first = fresh_secrets((word,), {})
    later = fresh_secrets((word, words), {**first, "words": {"one": "kept", "former": "gone"}, "other": "kept"})
    assert later["word"] == first["word"]
    assert later["other"] == "kept"
    assert isinstance(later["words"], dict)
    assert later["words"].keys() == {"one", "two"}
    assert later["words"]["one"] == "kept"


def test_each_secret_is_its_own() -> None:
    made = fresh_secrets((DesignSecret(variable="words", names=tuple(map(str, range(20)))),), {})["words"]
    assert isinstance(made, dict)
    assert len(set(made.values())) == len(made)
    assert min(map(len, made.values())) >= 22


def test_a_hash_is_one_of_crypt() -> None:
    made = fresh_secrets((DesignSecret(variable="some_password_hash"),), {})["some_password_hash"]
    assert str(made).startswith("$6$")


def test_two_ends_of_a_secret_are_equal() -> None:
    near = DesignSecret(variable="a_passwords", same_as="b_passwords")
    far = DesignSecret(variable="b_passwords", names=("one",))
    made = fresh_secrets((near, far), {"a_passwords": {"one": "of before"}})
    assert made["a_passwords"] == made["b_passwords"] != {"one": "of before"}
