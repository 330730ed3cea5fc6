"""The ERP in the cloud, as a twin plays it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from tests.unit.test_twin_plan import TENANT, hospital
from wardround.twin import tenant
from wardround.twin.mirror import Mirror
from wardround.twin.tenant import FOLDER, HOSPITAL_AUTHORITY, ensure_papers, introduce, tenant_files, tenant_parameters
from wardround.twin.tenant_image import builder, digest

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "erp.st-test.internal"
CALLERS = f"{FOLDER}/callers.crt"


def test_papers_stand_up_to_a_strict_client(tmp_path: Path) -> None:
    papers = ensure_papers(tmp_path / "tenant", NAME, NOW)
    authority = x509.load_pem_x509_certificate(papers.authority.encode())
    leaf = x509.load_pem_x509_certificate(papers.certificate.encode())
    policy = verification.PolicyBuilder().store(verification.Store([authority])).time(NOW)
    assert policy.build_server_verifier(x509.DNSName(NAME)).verify(leaf, []) == [leaf, authority]
    with pytest.raises(verification.VerificationError):
        policy.build_server_verifier(x509.DNSName("other.st-test.internal")).verify(leaf, [])


def test_papers_are_kept_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "tenant"
    first = ensure_papers(folder, NAME, NOW)
    assert ensure_papers(folder, NAME, NOW) == first
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_papers_of_another_name_or_nearly_over_are_made_anew(tmp_path: Path) -> None:
    first = ensure_papers(tmp_path / "tenant", NAME, NOW)
    later = ensure_papers(tmp_path / "tenant", NAME, NOW + timedelta(days=300))
    assert later.certificate != first.certificate
    assert ensure_papers(tmp_path / "tenant", "other.st-test.internal", NOW).certificate != later.certificate


def test_a_tenant_that_was_told_nothing_trusts_no_caller_of_the_hospital(tmp_path: Path) -> None:
    papers = ensure_papers(tmp_path / "tenant", NAME, NOW)
    files = {file.path: file for file in tenant_files(papers)}
    assert files[CALLERS].text == papers.authority
    assert files[f"{FOLDER}/tenant.key"].mode == 0o600


def test_the_connectors_architecture_learns_the_authority(tmp_path: Path) -> None:
    papers = ensure_papers(tmp_path / "tenant", NAME, NOW)
    assert tenant_parameters(TENANT, papers) == {"way_out": {"tenant_authorities": papers.authority}}


class Machines:
    """Files of a twin's machines, written and read by hand; every other command is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: dict[tuple[str, str], str] = {("erp", CALLERS): "nobody"}
        self.commands: list[tuple[str, str]] = []
        monkeypatch.setattr(tenant, "by_hand", self.by_hand)
        monkeypatch.setattr(tenant, "put_by_hand", self.put_by_hand)

    def by_hand(self, _hospital: str, machine: str, commands: str) -> str:
        for path in (CALLERS, HOSPITAL_AUTHORITY):
            if f"cat {path}" in commands:
                return self.files.get((machine, path), "")
        self.commands.append((machine, commands))
        return ""

    def put_by_hand(self, _hospital: str, machine: str, path: str, text: str) -> None:
        self.files[machine, path] = text


def test_the_tenant_is_told_of_the_hospitals_authority_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(monkeypatch)
    of = hospital(bystanders=(TENANT,))
    assert not introduce(of)
    assert machines.files["erp", CALLERS] == "nobody"
    machines.files["infra01", HOSPITAL_AUTHORITY] = "authority"
    assert introduce(of)
    assert machines.files["erp", CALLERS] == "authority"
    assert machines.commands == [("erp", "systemctl reload-or-restart erp-front.service")]
    assert not introduce(of)
    assert len(machines.commands) == 1


def test_a_hospital_without_a_tenant_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(monkeypatch)
    assert not introduce(hospital())
    assert machines.commands == []


def test_another_base_or_script_needs_another_image() -> None:
    assert len({digest("base", "script"), digest("other base", "script"), digest("base", "other script")}) == 3
    assert digest("base", "script") == digest("base", "script")


def test_the_image_is_made_where_the_mirror_is_reached_and_nothing_else_answers() -> None:
    mirror = Mirror("http://a.example/one", "http://a.example/two", "http://p.example:3142")
    made = builder("script", mirror, {"a.example": "198.51.100.7"})
    files = {file.path: file for file in made.files}
    assert made.options == ("--network=podman", "--dns=none")
    assert files["/root/tenant.sh"].text == "script"
    assert "198.51.100.7 a.example\n" in files["/etc/hosts"].text
    assert files["/etc/apt/apt.conf.d/00proxy"].text == 'Acquire::http::Proxy "http://p.example:3142";\n'
    assert {path for path, file in files.items() if file.link == "/dev/null"} == {
        "/etc/systemd/system/nginx.service",
        "/etc/systemd/system/ssh.service",
    }
    direct = builder("script", Mirror(mirror.archive, mirror.security, ""), {})
    assert not any("apt.conf" in file.path for file in direct.files)
