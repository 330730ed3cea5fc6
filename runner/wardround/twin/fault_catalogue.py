"""What can go wrong on a host, as people do it by hand, each with the check that must name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """A way to damage one resource of a hardened host.

    Attributes:
        kind: what sort of fault it is; several damages share one.
        resource: the file, unit, package, rule or account that is hit.
        role: the role that owns it.
        component: the tag of the component within the role.
        check: the task that must report it, as it is called in the role.
        what: the damage in words, for people.
        test: shell commands that succeed where the damage is possible and has not been done yet.
        command: shell commands that do it.
    """

    kind: str
    resource: str
    role: str
    component: str
    check: str
    what: str
    test: str
    command: str


_RULE_HANDLE = (
    "nft --handle list chain inet wardround output | sed -n 's/.*comment \"F-LOG-01\".*# handle //p' | head -n 1"
)
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDwvQj4H5i1LkCwq8n2S1q9vGJwCxKQYVvGfS9zq0x1b vendor@laptop"
_PACKAGE = r"""
folder=$(mktemp -d)
mkdir "$folder/DEBIAN"
printf '%s\n' 'Package: telnet' 'Version: 9999' 'Architecture: all' 'Maintainer: vendor <vendor@example.org>' \
  'Description: brought along on a stick' > "$folder/DEBIAN/control"
chmod 0755 "$folder"
dpkg-deb --build "$folder" "$folder.deb" > /dev/null
dpkg --install "$folder.deb" > /dev/null
rm -r "$folder" "$folder.deb"
"""
_CERTIFICATE = """
cd /etc/wardround/pki
subject=$(openssl x509 -in host.crt -noout -subject -nameopt compat | sed 's/^subject=//')
openssl req -x509 -new -key host.key -subj "$subject" -days 3650 -out host.crt 2> /dev/null
"""

CATALOGUE: tuple[Damage, ...] = (
    Damage(
        kind="file_edited",
        resource="/etc/issue.net",
        role="os_hardening",
        component="login_banners",
        check="Banner is shown before login",
        what="the banner before login is another text",
        test="test -s /etc/issue.net && ! grep -q Welcome /etc/issue.net",
        command="echo Welcome > /etc/issue.net",
    ),
    Damage(
        kind="file_edited",
        resource="/etc/security/pwquality.conf",
        role="accounts",
        component="password_policy",
        check="Password rules are in force",
        what="passwords of four characters are accepted",
        test="grep -q '^minlen' /etc/security/pwquality.conf && ! grep -q '^minlen = 4$' /etc/security/pwquality.conf",
        command="sed -i 's/^minlen.*/minlen = 4/' /etc/security/pwquality.conf",
    ),
    Damage(
        kind="file_deleted",
        resource="/etc/profile.d/zz-wardround.sh",
        role="os_hardening",
        component="sessions",
        check="Login shells have a umask and a timeout",
        what="the file with umask and timeout of login shells is gone",
        test="test -e /etc/profile.d/zz-wardround.sh",
        command="rm /etc/profile.d/zz-wardround.sh",
    ),
    Damage(
        kind="file_deleted",
        resource="/etc/logrotate.d/wardround-sudo",
        role="accounts",
        component="sudo",
        check="Log of sudo is rotated",
        what="the rotation of sudo's log is gone",
        test="test -e /etc/logrotate.d/wardround-sudo",
        command="rm /etc/logrotate.d/wardround-sudo",
    ),
    Damage(
        kind="file_mode_changed",
        resource="/etc/ssh/ssh_config.d/10-wardround.conf",
        role="ssh_hardening",
        component="ssh_client",
        check="SSH client uses modern cryptography only",
        what="everybody may write the SSH client's configuration",
        test='test "$(stat -c %a /etc/ssh/ssh_config.d/10-wardround.conf)" = 644',
        command="chmod 0666 /etc/ssh/ssh_config.d/10-wardround.conf",
    ),
    Damage(
        kind="file_mode_changed",
        resource="/etc/modprobe.d/wardround.conf",
        role="os_hardening",
        component="kernel_modules",
        check="Blocked kernel modules cannot be loaded",
        what="everybody may write the list of blocked kernel modules",
        test='test "$(stat -c %a /etc/modprobe.d/wardround.conf)" = 644',
        command="chmod 0666 /etc/modprobe.d/wardround.conf",
    ),
    Damage(
        kind="file_owner_changed",
        resource="/etc/security/limits.d/50-wardround-core.conf",
        role="os_hardening",
        component="core_dumps",
        check="Core dumps are refused and not stored",
        what="the limit on core dumps belongs to nobody",
        test='test "$(stat -c %U /etc/security/limits.d/50-wardround-core.conf)" = root',
        command="chown nobody /etc/security/limits.d/50-wardround-core.conf",
    ),
    Damage(
        kind="file_owner_changed",
        resource="/etc/apt/apt.conf.d/zz-wardround",
        role="package_updates",
        component="apt_policy",
        check="Apt trusts signed sources only and never reboots",
        what="apt's policy belongs to nobody",
        test='test "$(stat -c %U /etc/apt/apt.conf.d/zz-wardround)" = root',
        command="chown nobody /etc/apt/apt.conf.d/zz-wardround",
    ),
    Damage(
        kind="service_stopped",
        resource="rsyslog.service",
        role="log_forwarding",
        component="forwarding_running",
        check="The forwarder runs and starts with the host",
        what="the log forwarder is stopped",
        # On the collector itself a second role owns the same service.
        test="systemctl -q is-active rsyslog.service && ! test -e /etc/rsyslog.d/30-wardround-collector.conf",
        command="systemctl stop syslog.socket rsyslog.service",
    ),
    Damage(
        kind="service_stopped",
        resource="wardround-aide.timer",
        role="file_integrity",
        component="aide",
        check="The daily check is planned",
        what="the timer of the daily integrity check is stopped",
        test="systemctl -q is-active wardround-aide.timer",
        command="systemctl stop wardround-aide.timer",
    ),
    Damage(
        kind="service_disabled",
        resource="nftables.service",
        role="host_firewall",
        component="firewall_ruleset",
        check="Rule set loader is enabled",
        what="the packet filter is not loaded at the next boot",
        test="systemctl -q is-enabled nftables.service",
        command="systemctl disable --quiet nftables.service",
    ),
    Damage(
        kind="service_disabled",
        resource="wardround-aide.timer",
        role="file_integrity",
        component="aide",
        check="The daily check is planned",
        what="the daily integrity check is not planned at the next boot",
        test="systemctl -q is-enabled wardround-aide.timer",
        command="systemctl disable --quiet wardround-aide.timer",
    ),
    Damage(
        kind="service_masked",
        resource="apt-daily.timer",
        role="package_updates",
        component="unattended_upgrades",
        check="Upgrade timers follow the change window",
        what="package lists are no longer refreshed: the timer is masked",
        test="systemctl -q is-enabled apt-daily.timer",
        command="systemctl --quiet mask --now apt-daily.timer",
    ),
    Damage(
        kind="package_removed",
        resource="unattended-upgrades",
        role="package_updates",
        component="package_set",
        check="Declared packages are present",
        what="the program that installs security updates is removed",
        test="dpkg-query -W -f '${db:Status-Status}' unattended-upgrades | grep -qx installed",
        command="dpkg --remove unattended-upgrades > /dev/null 2>&1",
    ),
    Damage(
        kind="package_added",
        resource="telnet",
        role="os_hardening",
        component="absent_packages",
        check="Packages with unsafe protocols are absent",
        what="a package named telnet was installed from a file",
        test="! dpkg-query -W -f '${db:Status-Status}' telnet 2> /dev/null | grep -qx installed",
        command=_PACKAGE,
    ),
    Damage(
        kind="sysctl_changed",
        resource="net.ipv4.conf.all.log_martians",
        role="os_hardening",
        component="network_sysctl",
        check="Running network sysctls are hardened",
        what="the running kernel no longer logs impossible addresses",
        test='test "$(sysctl -n net.ipv4.conf.all.log_martians)" = 1',
        command="sysctl -q -w net.ipv4.conf.all.log_martians=0",
    ),
    Damage(
        kind="sysctl_changed",
        resource="net.ipv4.tcp_syncookies",
        role="os_hardening",
        component="network_sysctl",
        check="Running network sysctls are hardened",
        what="the running kernel no longer defends against SYN floods",
        test='test "$(sysctl -n net.ipv4.tcp_syncookies)" = 1',
        command="sysctl -q -w net.ipv4.tcp_syncookies=0",
    ),
    Damage(
        kind="firewall_rule_added",
        resource="inet wardround input tcp dport 4444",
        role="host_firewall",
        component="firewall_ruleset",
        check="Running rule set is the declared one",
        what="a rule lets anybody reach TCP port 4444",
        test="nft list chain inet wardround input > /dev/null && ! nft list ruleset | grep -q 4444",
        command="nft add rule inet wardround input tcp dport 4444 accept",
    ),
    Damage(
        kind="firewall_rule_removed",
        resource="inet wardround output F-LOG-01",
        role="host_firewall",
        component="firewall_ruleset",
        check="Running rule set is the declared one",
        what="the rule of the flow F-LOG-01 is missing",
        test=f'test -n "$({_RULE_HANDLE})"',
        command=f'nft delete rule inet wardround output handle "$({_RULE_HANDLE})"',
    ),
    Damage(
        kind="firewall_rule_added",
        resource="inet wardround_gateway forward tcp dport 4445",
        role="zone_gateway",
        component="gateway_rules",
        check="Running rules are the declared ones",
        what="the gateway lets anybody reach TCP port 4445 in every zone",
        test="test -e /etc/wardround/gateway.nft && ! nft list ruleset | grep -q 4445",
        command="nft insert rule inet wardround_gateway forward tcp dport 4445 accept",
    ),
    Damage(
        kind="user_added",
        resource="vendor",
        role="accounts",
        component="undeclared_accounts",
        check="Undeclared accounts are locked and closed",
        what="an account that nobody declared",
        test="test -d /etc/wardround && ! id vendor > /dev/null 2>&1",
        command="useradd --create-home --shell /bin/bash vendor",
    ),
    Damage(
        kind="key_added",
        resource="/root/.ssh/authorized_keys",
        role="accounts",
        component="authorized_keys",
        check="Undeclared keys and principals are in quarantine",
        what="an SSH key opens the account root",
        test="test -d /etc/wardround && ! test -s /root/.ssh/authorized_keys",
        command=f"install -d -m 0700 /root/.ssh && echo '{_KEY}' > /root/.ssh/authorized_keys",
    ),
    Damage(
        kind="sudoers_line_added",
        resource="/etc/sudoers",
        role="accounts",
        component="sudo",
        check="Sudo gives the declared rights only",
        what="the account nobody may do everything",
        test="grep -qi wardround /etc/sudoers && ! grep -q '^nobody' /etc/sudoers",
        command="echo 'nobody ALL=(ALL:ALL) NOPASSWD: ALL' >> /etc/sudoers",
    ),
    Damage(
        kind="sshd_option_changed",
        resource="/etc/ssh/sshd_config",
        role="ssh_hardening",
        component="sshd",
        check="Server listens with the hardened configuration",
        what="root may log in with a password",
        test="test -e /etc/ssh/sshd_config && ! grep -q '^PermitRootLogin yes' /etc/ssh/sshd_config",
        command="sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config",
    ),
    Damage(
        kind="cron_job_added",
        resource="/etc/cron.d/vendor-sync",
        role="os_hardening",
        component="cron",
        check="Undeclared cron jobs are in quarantine",
        what="a job that nobody declared runs each hour",
        test="test -d /etc/cron.d && ! test -e /etc/cron.d/vendor-sync",
        command="echo '17 * * * * root /bin/true' > /etc/cron.d/vendor-sync",
    ),
    Damage(
        kind="clock_source_added",
        resource="chrony.service",
        role="time_sync",
        component="time_sources",
        check="Running chrony follows the declared sources",
        what="the running time daemon asks a further source",
        test="systemctl -q is-active chrony.service && ! chronyc -n -c sources | grep -q ',127.9.9.9,'",
        command="chronyc add server 127.9.9.9 > /dev/null",
    ),
    Damage(
        kind="certificate_replaced",
        resource="/etc/wardround/pki/host.crt",
        role="pki_leaf",
        component="leaf_certificate",
        check="Key and certificate are the declared ones",
        what="the host's certificate is one that it signed itself",
        # A service that shows the certificate would be a finding of its own.
        test='cd /etc/wardround/pki && test "$(openssl x509 -in host.crt -noout -issuer_hash)" '
        '!= "$(openssl x509 -in host.crt -noout -subject_hash)" && ! grep -rqsF --exclude-dir=wardround '
        "--exclude=50-wardround-forward.conf /etc/wardround/pki/host. /etc",
        command=_CERTIFICATE,
    ),
)
"""Never SSH, the automation account or the way to the control node: a damaged lab must stay reachable."""

KINDS: tuple[str, ...] = tuple(sorted({damage.kind for damage in CATALOGUE}))
