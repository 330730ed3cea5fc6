#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a certificate authority's key, certificate, index and revocation list sound."""

from __future__ import annotations

import grp
import ipaddress
import os
import pwd
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

DOCUMENTATION = r"""
---
module: hospital_pki_authority
short_description: Keep a certificate authority's key, certificate, index and revocation list sound
description:
  - Generates the key once and never replaces it. A missing or different key of an authority that has signed is an
    incident for people; the module then fails and says so.
  - Signs the certificate anew, with the same key, when it differs from what is declared or nears its end.
options:
  private:
    description: Folder of the key.
    type: str
    required: true
  state:
    description: Folder of the index.
    type: str
    required: true
  public:
    description: Folder of the certificate and the revocation list.
    type: str
    required: true
  organization:
    description: Organization in the subject.
    type: str
    required: true
  common_name:
    description: Common name in the subject.
    type: str
    required: true
  domain:
    description: DNS domain that the authority is good for.
    type: str
    required: true
  subnets:
    description: Networks that the authority is good for.
    type: list
    elements: str
    default: []
  key_type:
    description: Type of the key.
    type: str
    choices: [ec-p384, rsa-3072, rsa-4096]
    required: true
  days:
    description: Validity of the certificate in days.
    type: int
    required: true
  renew_days:
    description: Days left at which the certificate is signed anew.
    type: int
    required: true
author: wardround
"""

KEY_OPTIONS = {
    "ec-p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa-3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa-4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
}
ROOT_ONLY, PUBLISHED = "0600 root:root", "0644 root:root"
SECONDS_A_DAY = 86400
State = dict[str, Any]


def access(path: Path) -> str:
    """Return mode, owner and group of a file in words, "absent" without one."""
    if not path.exists():
        return "absent"
    status = path.stat()
    try:
        owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        owner, group = str(status.st_uid), str(status.st_gid)
    return f"{status.st_mode & 0o7777:04o} {owner}:{group}"


def in_words(state: State) -> str:
    """Return a state as text, one thing a line."""
    return "".join(f"{name}: {value}\n" for name, value in state.items())


class Authority:
    """The authority of this host, seen and changed through openssl."""

    def __init__(self, module: AnsibleModule) -> None:
        """Take the module that declares the authority."""
        self.module = module
        self.declared = module.params
        private, state, public = (Path(module.params[folder]) for folder in ("private", "state", "public"))
        self.key, self.certificate, self.list = private / "ca.key", public / "ca.crt", public / "ca.crl"
        self.index, self.number, self.issued = state / "index.txt", state / "crlnumber", state / "issued"

    def openssl(self, *arguments: str) -> str | None:
        """Return what openssl prints, None when it fails."""
        code, out, _ = run_command(self.module, ["openssl", *arguments])
        return str(out) if code == 0 else None

    def must(self, *command: str) -> None:
        """Run a command; end the module when it fails."""
        code, _, err = run_command(self.module, list(command))
        if code != 0:
            self.module.fail_json(msg=f"{command[0]} {command[1]} failed: {err.strip()}", rc=code)

    def subject(self) -> str:
        """Return the subject in the form that openssl takes."""
        escaped = [re.sub(r"([/+\\=])", r"\\\1", self.declared[part]) for part in ("organization", "common_name")]
        return "/O={}/CN={}".format(*escaped)

    def constraints(self) -> list[str]:
        """Return the names and networks that the authority is good for."""
        networks = [ipaddress.ip_network(subnet, strict=False) for subnet in self.declared["subnets"]]
        merged: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [
            *ipaddress.collapse_addresses(item for item in networks if isinstance(item, ipaddress.IPv4Network)),
            *ipaddress.collapse_addresses(item for item in networks if isinstance(item, ipaddress.IPv6Network)),
        ]
        return [f"DNS:{self.declared['domain']}", *(f"IP:{item.network_address}/{item.netmask}" for item in merged)]

    def public_key(self) -> str:
        """Return the public half of the key, in PEM."""
        return self.openssl("pkey", "-in", str(self.key), "-pubout") or ""

    def key_type(self) -> str:
        """Return the type of the key that is there."""
        if not self.key.exists():
            return "absent"
        _, text, _ = run_command(self.module, ["openssl", "pkey", "-pubin", "-noout", "-text"], self.public_key())
        bits = re.search(r"Public-Key: \((\d+) bit\)", text)
        curve = re.search(r"NIST CURVE: (\S+)", text)
        if curve:
            return "ec-" + curve[1].lower().replace("-", "")
        return f"rsa-{bits[1]}" if bits else "unreadable"

    def extensions(self) -> list[str]:
        """Return what the certificate that is there may be used for."""
        names = "basicConstraints,keyUsage,nameConstraints"
        text = self.openssl("x509", "-in", str(self.certificate), "-noout", "-ext", names) or ""
        return sorted(self.constraint(line.strip()) for line in text.splitlines())

    @staticmethod
    def constraint(line: str) -> str:
        """Return a line of extensions with its network, if it holds one, in this module's words."""
        kind, _, network = line.partition(":")
        if kind != "IP":
            return line
        return "IP:" + "/".join(str(ipaddress.ip_address(part)) for part in network.split("/"))

    def revocation_list(self) -> str:
        """Return in words how the revocation list stands."""
        if not self.list.exists():
            return "absent"
        if self.openssl("crl", "-in", str(self.list), "-noout", "-verify", "-CAfile", str(self.certificate)) is None:
            return "not signed by this authority"
        text = self.openssl("crl", "-in", str(self.list), "-noout", "-nextupdate", "-dateopt", "iso_8601") or ""
        due = time.strptime(text.strip().partition("=")[2], "%Y-%m-%d %H:%M:%SZ")
        return "current" if due > time.gmtime() else "expired"

    def actual(self) -> State:
        """Return how the authority stands."""
        x509 = ("x509", "-in", str(self.certificate), "-noout")
        left = str(self.declared["renew_days"] * SECONDS_A_DAY)
        subject = self.openssl(*x509, "-subject", "-nameopt", "utf8,sep_multiline") or ""
        return {
            "key": self.key_type(),
            "key access": access(self.key),
            "certificate access": access(self.certificate),
            "subject": [line.strip() for line in subject.splitlines()[1:]],
            "extensions": self.extensions(),
            "belongs to the key": self.openssl(*x509, "-pubkey") == self.public_key() != "",
            f"valid for {self.declared['renew_days']} days": self.openssl(*x509, "-checkend", left) is not None,
            "index": access(self.index),
            "number of the revocation list": access(self.number),
            "revocation list": self.revocation_list(),
            "revocation list access": access(self.list),
        }

    def expected(self) -> State:
        """Return how the authority should stand."""
        return {
            "key": self.declared["key_type"],
            "key access": ROOT_ONLY,
            "certificate access": PUBLISHED,
            "subject": [f"O={self.declared['organization']}", f"CN={self.declared['common_name']}"],
            "extensions": sorted(
                [
                    *("X509v3 Basic Constraints: critical", "CA:TRUE, pathlen:0"),
                    *("X509v3 Key Usage: critical", "Certificate Sign, CRL Sign"),
                    *("X509v3 Name Constraints: critical", "Permitted:", *self.constraints()),
                ],
            ),
            "belongs to the key": True,
            f"valid for {self.declared['renew_days']} days": True,
            "index": ROOT_ONLY,
            "number of the revocation list": ROOT_ONLY,
            "revocation list": "current",
            "revocation list access": PUBLISHED,
        }

    def refuse_incident(self, actual: State) -> None:
        """End the module where only people can decide."""
        has_signed = self.certificate.exists() or (self.issued.exists() and any(self.issued.iterdir()))
        if actual["key"] == "absent" and has_signed:
            self.module.fail_json(
                msg=f"{self.key} is gone, but this authority has signed certificates. Restore it, or move"
                f" {self.certificate} and {self.issued} away to start a new authority.",
            )
        if actual["key"] not in ("absent", self.declared["key_type"]):
            self.module.fail_json(
                msg=f"{self.key} is {actual['key']}, declared is {self.declared['key_type']}. A key is never replaced:"
                " restore it, or declare what it is.",
            )
        if actual["index"] == "absent" and self.issued.exists() and any(self.issued.iterdir()):
            self.module.fail_json(msg=f"{self.index} is gone, and with it who was revoked. Restore it.")

    def create_key(self) -> None:
        """Generate the key in its place."""
        self.must("openssl", "genpkey", *KEY_OPTIONS[self.declared["key_type"]], "-out", str(self.key))

    def sign_itself(self) -> None:
        """Sign a certificate over the key that is there."""
        permitted = "\n".join(
            f"permitted;{kind}.{number} = {value}"
            for number, (kind, _, value) in enumerate(item.partition(":") for item in self.constraints())
        )
        configuration = (
            "[req]\ndistinguished_name = subject\n[subject]\n[authority]\n"
            "basicConstraints = critical,CA:true,pathlen:0\nkeyUsage = critical,keyCertSign,cRLSign\n"
            "subjectKeyIdentifier = hash\nnameConstraints = critical,@permitted\n"
            f"[permitted]\n{permitted}\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            section, fresh = Path(folder, "authority.cnf"), Path(folder, "ca.crt")
            section.write_text(configuration, encoding="ascii")
            self.must(
                *("openssl", "req", "-x509", "-new", "-utf8", "-sha384", "-key", str(self.key), "-out", str(fresh)),
                *("-config", str(section), "-extensions", "authority"),
                *("-subj", self.subject(), "-days", str(self.declared["days"])),
            )
            self.write(self.certificate, fresh.read_text(encoding="ascii"))

    def write(self, path: Path, content: str) -> None:
        """Replace a file in one step."""
        beside = path.with_name(f".{path.name}")
        beside.write_text(content, encoding="ascii")
        beside.replace(path)

    def remedy(self, actual: State, expected: State) -> None:
        """Make the authority stand as declared."""
        os.umask(0o077)
        if actual["key"] == "absent":
            self.create_key()
        valid = f"valid for {self.declared['renew_days']} days"
        if any(actual[name] != expected[name] for name in ("subject", "extensions", "belongs to the key", valid)):
            self.sign_itself()
        if not self.index.exists():
            self.write(self.index, "")
        if not self.number.exists():
            # Numbers only have to grow, also across a loss of the file (RFC 5280, 5.2.3).
            self.write(self.number, f"{int(time.time()):016X}\n")
        if self.revocation_list() != "current":
            self.must("/usr/local/sbin/wardround-sign", "crl")
        for path in (self.key, self.index, self.number):
            path.chmod(0o600)
            os.chown(path, 0, 0)
        for path in (self.certificate, self.list):
            path.chmod(0o644)
            os.chown(path, 0, 0)


def main() -> None:
    """Compare the authority with what is declared, and remedy it unless only asked to look."""
    text, number = {"type": "str", "required": True}, {"type": "int", "required": True}
    module = AnsibleModule(
        argument_spec={
            **dict.fromkeys(("private", "state", "public", "organization", "common_name", "domain"), text),
            "subnets": {"type": "list", "elements": "str", "default": []},
            "key_type": {"type": "str", "choices": list(KEY_OPTIONS), "required": True},
            **dict.fromkeys(("days", "renew_days"), number),
        },
        supports_check_mode=True,
    )
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", module.params["domain"]):
        module.fail_json(msg=f"hospital_pki_domain {module.params['domain']!r} is not a DNS domain")
    authority = Authority(module)
    expected, actual = authority.expected(), authority.actual()
    authority.refuse_incident(actual)
    diff = {"before": in_words(actual), "after": in_words(expected)}
    changed = actual != expected
    if changed and not module.check_mode:
        authority.remedy(actual, expected)
        left = {name: value for name, value in authority.actual().items() if value != expected[name]}
        if left:
            module.fail_json(msg=f"The authority still differs from what is declared: {left}", diff=diff)
    module.exit_json(changed=changed, diff=diff, path=str(authority.certificate))


if __name__ == "__main__":
    main()
