"""The server is asked what it does, and a person with a certificate logs in."""

import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def effective(host: Host) -> dict[str, str]:
    """The server's own account of its settings."""
    return dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines() if " " in line)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("permitrootlogin", "no"),
        ("passwordauthentication", "no"),
        ("kbdinteractiveauthentication", "no"),
        ("permitemptypasswords", "no"),
        ("trustedusercakeys", "/etc/ssh/user_ca_keys"),
        ("authorizedprincipalsfile", "/etc/ssh/authorized_principals/%u"),
        ("allowgroups", "ssh-login"),
        ("x11forwarding", "no"),
    ],
)
def test_setting(effective: dict[str, str], keyword: str, value: str) -> None:
    assert effective[keyword] == value


@pytest.mark.parametrize(
    ("keyword", "greatest"),
    [("clientaliveinterval", 300), ("clientalivecountmax", 3), ("maxauthtries", 4), ("logingracetime", 60)],
)
def test_limit(effective: dict[str, str], keyword: str, greatest: int) -> None:
    assert 0 < int(effective[keyword]) <= greatest


@pytest.mark.parametrize(
    "keyword", ["ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms"]
)
@pytest.mark.parametrize("weak", ["cbc", "3des", "md5", "sha1", "group1-", "group14", "ssh-rsa", "ssh-dss", "nistp256"])
def test_cryptography_is_modern(effective: dict[str, str], keyword: str, weak: str) -> None:
    assert not [name for name in effective[keyword].split(",") if weak in name]


def test_moduli_are_large(host: Host) -> None:
    lines = host.file("/etc/ssh/moduli").content_string.splitlines()
    assert min(int(line.split()[4]) for line in lines if line[0] != "#") >= 3071


def test_host_keys_are_strong_and_private(host: Host) -> None:
    offered = host.check_output("ssh-keyscan -T 30 127.0.0.1 2>/dev/null | sed 's|^#.*||' | cut -s -d' ' -f2")
    assert set(offered.split()) == {"ssh-ed25519", "ssh-rsa"}
    assert int(host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub").split()[0]) >= 3072
    assert host.file("/etc/ssh/ssh_host_ed25519_key").mode == 0o600


def login(host: Host, account: str, principal: str, command: str) -> tuple[int, str, str]:
    """Log in on loopback with a fresh key that the scenario's authority certifies for one principal."""
    result = host.run(
        "bash -c %s",
        f"""
        set -e
        folder=$(mktemp -d)
        trap 'rm -r "$folder"' EXIT
        cd "$folder"
        ssh-keygen -q -t ed25519 -N '' -f key
        ssh-keygen -q -s /var/lib/molecule/user_ca -I molecule -n {principal} -V +5m key.pub
        printf '127.0.0.1 %s\\n' "$(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts
        ssh -i key -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=known_hosts \
            {account}@127.0.0.1 {command}
        """,
    )
    return result.rc, result.stdout.strip(), result.stderr


def test_certificate_with_the_accepted_principal_logs_in(host: Host) -> None:
    status, output, errors = login(host, "visitor", "nurse-station", "whoami")
    assert (status, output) == (0, "visitor"), errors


def test_banner_is_shown(host: Host) -> None:
    assert host.file("/etc/issue.net").content_string.strip() in login(host, "visitor", "nurse-station", "true")[2]


@pytest.mark.parametrize(
    ("account", "principal"), [("visitor", "visitor"), ("root", "nurse-station"), ("root", "root")]
)
def test_other_principals_and_root_are_refused(host: Host, account: str, principal: str) -> None:
    status, _, errors = login(host, account, principal, "true")
    assert status == 255
    assert "Permission denied (publickey)" in errors


def test_password_is_not_even_offered(host: Host) -> None:
    refused = host.run("ssh -o StrictHostKeyChecking=no -o PubkeyAuthentication=no visitor@127.0.0.1 true")
    assert "Permission denied (publickey)" in refused.stderr


def test_old_client_is_refused(host: Host) -> None:
    refused = host.run("ssh -o StrictHostKeyChecking=no -o BatchMode=yes -o Ciphers=aes128-cbc visitor@127.0.0.1 true")
    assert "no matching cipher found" in refused.stderr
