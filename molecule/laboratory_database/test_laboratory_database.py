"""The databases are tried with psql from the scenario's other host, and asked about by their superuser."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import testinfra
from testinfra.backend.base import CommandResult
from testinfra.host import Host

PKI = "/etc/wardround/pki"
IMAGING = "user=imaging dbname=imaging"
CERTIFICATE = "sslcert=/root/imaging.crt sslkey=/root/imaging.key"


def other(host: Host) -> Host:
    """The host that is declared as this one's client."""
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


def address(host: Host) -> str:
    return str(host.check_output("hostname -I").split()[0])


def password(user: str) -> str:
    return (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "passwords" / user).read_text(encoding="ascii").strip()


def psql(client: Host, server: Host, sql: str, options: str = "", secret: str = "", **values: str) -> CommandResult:
    """Run SQL as a client of the server; the certificate must be the authority's and carry the server's name."""
    # Of a keyword that is repeated, the last value counts.
    where = f"host={server.backend.name} hostaddr={address(server)} user=lis dbname=lis connect_timeout=10"
    tls = f"sslmode=verify-full sslrootcert={PKI}/ca.crt"
    text = Template(sql).substitute(values)
    return client.run("PGPASSWORD=%s psql -X -At -c %s %s", secret or password("lis"), text, f"{where} {tls} {options}")


def asked(host: Host, sql: str, database: str = "postgres", **values: str) -> str:
    """What the superuser is told over the local socket."""
    text = Template(sql).substitute(values)
    return str(host.check_output("runuser -u postgres -- psql -X -At -d %s -c %s", database, text))


def logged(host: Host) -> str:
    return str(host.check_output("journalctl --no-pager --output=cat -t laboratory_database"))


def log_with(host: Host, text: str, seconds: float = 10) -> str:
    """What is logged, once it holds the text."""
    deadline = time.monotonic() + seconds
    while text not in (log := logged(host)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return log


def refused(result: CommandResult, reason: str) -> None:
    assert result.rc != 0
    assert reason in result.stderr


PROTOCOL = "SELECT version || ' ' || current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


def test_declared_user_logs_in_over_tls_and_the_certificate_has_the_servers_name(host: Host) -> None:
    result = psql(other(host), host, PROTOCOL)
    assert (result.rc, result.stdout.strip()) == (0, "TLSv1.3 lis"), result.stderr


def test_tls_1_2_is_enough(host: Host) -> None:
    result = psql(other(host), host, PROTOCOL, "ssl_max_protocol_version=TLSv1.2")
    assert (result.rc, result.stdout.strip()) == (0, "TLSv1.2 lis"), result.stderr


def test_another_name_than_the_certificates_is_noticed(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", "host=impostor"), "does not match host name")


def test_no_tls_is_refused(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", "sslmode=disable"), "no encryption")


def handshake(host: Host, version: str) -> bool:
    """Whether the server agrees to a version of TLS with a client that would take any cipher."""
    command = f"openssl s_client -starttls postgres -connect {address(host)}:5432 {version} -cipher DEFAULT:@SECLEVEL=0"
    return "BEGIN CERTIFICATE" in other(host).run(f"{command} </dev/null").stdout


def test_tls_1_1_fails_in_the_handshake(host: Host) -> None:
    assert handshake(host, "-tls1_2")
    assert not handshake(host, "-tls1_1")


def test_a_wrong_password_is_refused(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", secret="wrong"), "password authentication failed")


def test_an_undeclared_database_is_refused(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", "dbname=imaging"), "pg_hba.conf rejects")
    refused(psql(other(host), host, "SELECT 1", "dbname=postgres"), "pg_hba.conf rejects")


def test_an_undeclared_address_is_refused(host: Host) -> None:
    refused(psql(host, host, "SELECT 1"), f'pg_hba.conf rejects connection for host "{address(host)}"')


def test_the_superuser_is_refused_over_the_network(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", "user=postgres"), "pg_hba.conf rejects")


def test_a_copy_of_the_whole_server_is_refused(host: Host) -> None:
    refused(psql(other(host), host, "IDENTIFY_SYSTEM", "replication=true"), "pg_hba.conf rejects replication")


def test_local_accounts_other_than_the_superusers_are_refused(host: Host) -> None:
    refused(host.run("runuser -u postgres -- psql -X -U lis -d lis -c 'SELECT 1'"), "pg_hba.conf rejects")
    assert host.run("runuser -u nobody -- psql -X -h /var/run/postgresql -U postgres -c 'SELECT 1'").rc != 0


@contextmanager
def stored_as_md5(host: Host) -> Iterator[None]:
    """The user's password stored the old way, and afterwards as it was."""
    verifier = asked(host, "SELECT rolpassword FROM pg_authid WHERE rolname = 'lis'")
    assert verifier.startswith("SCRAM-SHA-256$")
    asked(host, "SET password_encryption = md5; ALTER ROLE lis PASSWORD '$password'", password=password("lis"))
    try:
        yield
    finally:
        asked(host, "ALTER ROLE lis PASSWORD '$verifier'", verifier=verifier)


def test_a_password_stored_as_md5_is_refused(host: Host) -> None:
    with stored_as_md5(host):
        assert asked(host, "SELECT rolpassword FROM pg_authid WHERE rolname = 'lis'").startswith("md5")
        refused(psql(other(host), host, "SELECT 1"), "password authentication failed")
    assert psql(other(host), host, "SELECT 1").rc == 0


def test_a_user_with_a_certificate_needs_the_password_too(host: Host) -> None:
    result = psql(other(host), host, "SELECT 1", f"{IMAGING} {CERTIFICATE}", password("imaging"))
    assert result.rc == 0, result.stderr
    refused(psql(other(host), host, "SELECT 1", f"{IMAGING} {CERTIFICATE}", "wrong"), "password authentication failed")


def test_a_user_without_its_certificate_is_refused(host: Host) -> None:
    refused(psql(other(host), host, "SELECT 1", IMAGING, password("imaging")), "valid client certificate")


def test_a_user_with_another_names_certificate_is_refused(host: Host) -> None:
    options = f"{IMAGING} sslcert={PKI}/host.crt sslkey={PKI}/host.key"
    assert psql(other(host), host, "SELECT 1", options, password("imaging")).rc != 0


def test_a_write_is_audited_without_what_was_written(host: Host) -> None:
    names = {"table": f"result_{uuid.uuid4().hex}", "patient": uuid.uuid4().hex}
    client, written = other(host), f"WRITE,INSERT,TABLE,public.{names['table']},"
    assert psql(client, host, "CREATE TABLE $table (patient text)", **names).rc == 0
    assert psql(client, host, "INSERT INTO $table VALUES ('$patient')", **names).rc == 0
    prepared = "PREPARE p AS INSERT INTO $table VALUES ($$1); EXECUTE p('$patient')"
    assert psql(client, host, prepared, **names).rc == 0
    log = log_with(host, written)
    line = next(line for line in log.splitlines() if written in line)
    assert f"user=lis,db=lis,client={address(client)} LOG:  AUDIT: SESSION," in line
    assert f"DDL,CREATE TABLE,TABLE,public.{names['table']}," in log
    assert names["patient"] not in log


def test_an_error_is_the_applications_and_not_the_logs(host: Host) -> None:
    patient, client = uuid.uuid4().hex, other(host)
    twice = "CREATE TABLE twice (name text UNIQUE); INSERT INTO twice VALUES ('$patient'), ('$patient')"
    for sql in ("SELECT '$patient'::int", "SELECT 1 FROM absent_$patient", twice):
        refused(psql(client, host, sql, patient=patient), patient)
    mark = f"after_{uuid.uuid4().hex}"
    assert psql(client, host, "CREATE TABLE $mark ()", mark=mark).rc == 0
    log = log_with(host, mark)
    assert mark in log
    assert patient not in log


def test_a_change_of_rights_is_audited(host: Host) -> None:
    table = f"granted_{uuid.uuid4().hex}"
    assert psql(other(host), host, "CREATE TABLE $table (); GRANT SELECT ON $table TO imaging", table=table).rc == 0
    assert "ROLE,GRANT,TABLE" in log_with(host, "ROLE,GRANT,TABLE")


def test_connections_and_failed_logins_are_logged(host: Host) -> None:
    client = other(host)
    refused(psql(client, host, "SELECT 1", secret="wrong"), "password authentication failed")
    log = log_with(host, 'password authentication failed for user "lis"')
    assert 'password authentication failed for user "lis"' in log
    assert f"connection received: host={address(client)}" in log
    assert "connection authorized: user=lis database=lis" in log
    assert "disconnection: session time" in log


def test_no_password_is_in_the_log(host: Host) -> None:
    log = str(host.check_output("journalctl --no-pager --output=cat"))
    assert password("lis") not in log
    assert password("imaging") not in log


def test_nobody_may_enter_who_is_not_declared_even_with_a_rule(host: Host) -> None:
    rights = (
        "SELECT has_database_privilege('imaging', 'lis', 'CONNECT'), has_database_privilege('lis', 'lis', 'CONNECT')"
    )
    assert asked(host, rights) == "f|t"
    assert asked(host, "SELECT has_database_privilege('lis', 'postgres', 'CONNECT')") == "f"
    public = "SELECT has_schema_privilege('lis', 'public', 'USAGE')"
    assert asked(host, public, "imaging") == "f"


def test_declared_roles_have_no_right_over_the_server(host: Host) -> None:
    assert asked(host, "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper") == "postgres"
    refused(psql(other(host), host, "CREATE ROLE more"), "permission denied")
    refused(psql(other(host), host, "COPY (SELECT 1) TO '/var/lib/postgresql/out'"), "pg_write_server_files")
    refused(psql(other(host), host, "SET pgaudit.log = 'none'"), "permission denied")


def test_a_group_lends_its_rights(host: Host) -> None:
    sql = "SET ROLE imaging_owner; CREATE TABLE study ()"
    result = psql(other(host), host, sql, f"{IMAGING} {CERTIFICATE}", password("imaging"))
    assert result.rc == 0, result.stderr
    assert asked(host, "SELECT tableowner FROM pg_tables WHERE tablename = 'study'", "imaging") == "imaging_owner"


def test_pages_carry_checksums_and_text_is_utf8(host: Host) -> None:
    assert asked(host, "SHOW data_checksums") == "on"
    assert asked(host, "SELECT DISTINCT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'lis'") == "UTF8"


def test_connections_of_a_user_are_limited(host: Host) -> None:
    assert asked(host, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'lis'") == "10"
    assert asked(host, "SELECT datconnlimit FROM pg_database WHERE datname = 'imaging'") == "20"


def test_a_statement_that_takes_for_ever_is_ended(host: Host) -> None:
    result = psql(other(host), host, "SHOW statement_timeout; SHOW idle_in_transaction_session_timeout; SHOW work_mem")
    assert result.stdout.split() == ["5min", "10min", "8MB"]


def test_alter_system_is_refused_where_the_version_can(host: Host) -> None:
    if not host.backend.name.endswith("13"):
        assert asked(host, "SELECT count(*) FROM pg_settings WHERE name = 'allow_alter_system'") == "0"
        return
    refused(host.run("runuser -u postgres -- psql -X -c 'ALTER SYSTEM SET ssl = off'"), "not allowed")


def test_only_the_declared_address_and_the_socket_are_listened_on(host: Host) -> None:
    listening = {line.split()[3] for line in host.check_output("ss -Hltn").splitlines()}
    assert {each for each in listening if not each.endswith(":22")} == {f"{address(host)}:5432"}


def test_the_key_stays_roots_and_nobody_else_reads_it(host: Host) -> None:
    key = host.file(f"{PKI}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "ssl-cert", 0o640)
    assert "ssl-cert" in host.user("postgres").groups


def test_the_server_cannot_rewrite_its_configuration(host: Host) -> None:
    folder = host.check_output("echo /etc/postgresql/*/main")
    for path in (f"{folder}/pg_hba.conf", f"{folder}/conf.d/wardround.conf", f"{folder}/new"):
        assert host.run(f"runuser -u postgres -- sh -c 'echo >> {path}'").rc != 0


def test_a_dump_holds_what_was_written_and_can_be_restored(host: Host) -> None:
    mark = uuid.uuid4().hex
    assert psql(other(host), host, "CREATE TABLE dumped_$mark AS SELECT 42 AS answer", mark=mark).rc == 0
    host.check_output("systemctl start wardround-database-dump.service")
    folder = host.file("/var/backups/laboratory_database")
    assert (folder.user, folder.mode) == ("postgres", 0o700)
    assert sorted(folder.listdir()) == ["imaging.dump", "lis.dump", "roles.sql"]
    asked(host, "CREATE DATABASE restored TEMPLATE template0")
    try:
        host.check_output("runuser -u postgres -- pg_restore -d restored /var/backups/laboratory_database/lis.dump")
        assert asked(host, "SELECT answer FROM dumped_$mark", "restored", mark=mark) == "42"
    finally:
        asked(host, "DROP DATABASE restored")


def test_the_server_and_its_dumps_start_with_the_host(host: Host) -> None:
    assert host.service("postgresql.service").is_enabled
    assert host.service("wardround-database-dump.timer").is_enabled
    assert host.service("wardround-database-dump.timer").is_running
    unit = host.check_output("systemctl list-units --no-legend --plain 'postgresql@*' | cut -d' ' -f1")
    assert host.check_output("systemctl show -P NoNewPrivileges %s", unit) == "yes"
