"""What package_updates promises, asked of apt, systemd and needrestart themselves."""

from testinfra.host import Host

HANGS_UP = """
import http.server

class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = set()

    def do_GET(self):
        if self.path != "/dists/other/InRelease" or self.asked:
            return super().do_GET()
        self.asked.add(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.close_connection = True

    def __init__(self, *given):
        super().__init__(*given, directory="/srv/archive")

http.server.ThreadingHTTPServer(("127.0.0.1", 8481), Handler).serve_forever()
"""

QUARANTINE = "/var/lib/wardround/quarantine"


def effective(host: Host, key: str) -> list[str]:
    """Values that apt uses for a key or list, whichever file they come from."""
    lines = host.check_output("apt-config dump").splitlines()
    values = [line.split('"')[1] for line in lines if line.startswith((f"{key} ", f"{key}:: "))]
    return [value for value in values if value]


def test_every_source_is_signed_and_declared(host: Host) -> None:
    folder = host.file("/etc/apt/sources.list.d")
    assert folder.listdir() == ["wardround.sources"]
    assert not host.file("/etc/apt/sources.list").exists
    entries = host.check_output("apt-get indextargets --format '$(SOURCESENTRY)' 'Created-By: Packages'").splitlines()
    assert len(entries) == 3
    assert all(entry.startswith("/etc/apt/sources.list.d/wardround.sources:") for entry in entries)
    stanzas = host.file("/etc/apt/sources.list.d/wardround.sources").content_string.strip().split("\n\n")
    assert all("\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg" in stanza for stanza in stanzas)
    assert not any("trusted" in stanza.lower() for stanza in stanzas)


def test_former_source_is_kept_where_only_root_reads(host: Host) -> None:
    assert host.file(QUARANTINE).mode == 0o700
    assert "etc_apt_sources.list.d_debian.sources" in host.file(QUARANTINE).listdir()


def test_unsigned_archive_is_refused(host: Host) -> None:
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    host.check_output("mkdir -p /tmp/archive /tmp/lists/partial && touch /tmp/archive/Packages")
    host.check_output(f"echo 'deb {signed} file:/tmp/archive ./' > /tmp/unsigned.list")
    sources = "-o Dir::Etc::sourcelist=/tmp/unsigned.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/tmp/lists"
    update = host.run(f"apt-get update {sources}")
    assert update.rc != 0
    assert "not signed" in update.stderr or "does not have a Release file" in update.stderr


def test_mirror_that_hangs_up_is_asked_again_at_once(host: Host) -> None:
    # The server sends one list's head and no body, the first time: the second attempt must come, and soon.
    host.check_output("rm -rf /tmp/hung && mkdir -p /tmp/hung/partial")
    host.check_output("cp -rT /srv/archive/dists/stable /srv/archive/dists/other")
    host.check_output("systemd-run --quiet --unit=hangs-up --collect python3 -c %s", HANGS_UP)
    host.check_output("until ss -Hltn sport = :8481 | grep -q 8481; do sleep 0.1; done")
    source = "deb [signed-by=/srv/archive/archive.asc] http://127.0.0.1:8481"
    host.check_output(f"printf '%s\\n' '{source} stable main' '{source} other main' > /tmp/hung.list")
    options = "-o Dir::Etc::sourcelist=/tmp/hung.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/tmp/hung"
    update = host.run(f"timeout 60 apt-get update {options} -o Acquire::http::Proxy=DIRECT")
    host.check_output("systemctl stop hangs-up")
    assert update.rc == 0, update.stdout + update.stderr


def test_nothing_reboots_or_restarts_by_itself(host: Host) -> None:
    assert effective(host, "Unattended-Upgrade::Automatic-Reboot") == ["false"]
    assert effective(host, "APT::Periodic::Unattended-Upgrade") == ["0"]
    assert host.run("systemctl is-enabled apt-daily-upgrade.timer").stdout.strip() == "masked"
    assert host.run("systemctl is-active apt-daily.timer").stdout.strip() == "active"
    mode = host.check_output(
        """perl -e 'our %nrconf; do "/etc/needrestart/needrestart.conf"; die $@ if $@; print $nrconf{restart}'""",
    )
    assert mode == "l"


def test_unattended_upgrades_take_security_only(host: Host) -> None:
    origins = effective(host, "Unattended-Upgrade::Origins-Pattern")
    assert origins == ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"]
    assert effective(host, "Unattended-Upgrade::Allowed-Origins") == []
    dry = host.run("unattended-upgrade --dry-run --debug")
    assert dry.rc == 0
    codename = host.check_output(". /etc/os-release && echo $VERSION_CODENAME")
    assert f"origin=Debian,codename={codename}-security,label=Debian-Security" in dry.stdout + dry.stderr


def test_host_is_fully_patched(host: Host) -> None:
    simulated = host.check_output("apt-get --simulate dist-upgrade")
    assert "Debian-Security" not in simulated
