"""Audit's files as the daemon would read them, a kernel that was left alone, and a journal on disk."""

from testinfra.host import Host


def settings(host: Host, path: str) -> dict[str, str]:
    lines = [line for line in host.file(path).content_string.splitlines() if "=" in line and not line.startswith("#")]
    return {key.strip(): value.strip() for key, value in (line.split("=", 1) for line in lines)}


def compiled(host: Host) -> list[str]:
    return [line for line in host.file("/etc/audit/audit.rules").content_string.splitlines() if line[:1] == "-"]


def test_a_full_disk_never_halts_the_host(host: Host) -> None:
    conf = settings(host, "/etc/audit/auditd.conf")
    assert conf["max_log_file_action"] == "keep_logs"
    actions = {key: value for key, value in conf.items() if key.endswith("_action")}
    assert {"disk_full_action", "disk_error_action", "space_left_action", "admin_space_left_action"} < set(actions)
    assert not {"HALT", "SINGLE", "EXEC"} & {value.upper() for value in actions.values()}
    assert int(conf["admin_space_left"]) < int(conf["space_left"])


def test_compiled_rules_watch_what_matters_and_lock_last(host: Host) -> None:
    rules = compiled(host)
    for path in ("passwd", "shadow", "sudoers", "localtime", "ssh/sshd_config", "crontab"):
        assert [rule for rule in rules if rule.startswith(f"-w /etc/{path} -p wa")], path
    for call in ("settimeofday", "init_module"):
        for width in ("b64", "b32"):
            assert [rule for rule in rules if f"arch={width}" in rule and call in rule], (call, width)
    assert "-w /etc/hospital.conf -p wa -k hospital" in rules
    assert rules[-1] == "-e 2"
    assert "-f 1" in rules
    assert "--backlog_wait_time 0" in rules


def test_rules_on_disk_are_compiled(host: Host) -> None:
    assert "No change" in host.check_output("augenrules --check")


def test_every_system_call_is_known_to_audit(host: Host) -> None:
    for width, machine in (("b64", "x86_64"), ("b32", "i386")):
        calls = {
            call
            for rule in compiled(host)
            if f"arch={width}" in rule
            for call in rule.split(" -S ")[1].split(" ")[0].split(",")
        }
        assert calls
        known = host.check_output(f"ausyscall {machine} --dump")
        assert calls <= set(known.split())


def test_the_shared_kernel_is_left_alone(host: Host) -> None:
    for unit in ("auditd", "audit-rules"):
        assert host.service(unit).is_masked
    assert host.run("pgrep -x auditd").rc == 1
    assert host.run("auditctl -s").rc != 0


def test_the_journal_is_kept_within_its_limits(host: Host) -> None:
    assert settings(host, "/etc/systemd/journald.conf.d/60-wardround.conf")["SystemMaxUse"] == "200M"
    host.check_output("logger -t scenario 'kept on disk' && journalctl --sync")
    assert "kept on disk" in host.check_output("journalctl --quiet -t scenario --directory=/var/log/journal")


def test_the_host_is_well(host: Host) -> None:
    assert host.check_output("systemctl is-system-running") == "running"
