#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a host's key and certificate as declared, with a signature from elsewhere."""

from __future__ import annotations

import grp
import ipaddress
import os
import pwd
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

DOCUMENTATION = r"""
---
module: pki_leaf_certificate
short_description: Keep a host's key and certificate as declared, with a signature from elsewhere
description:
  - Compares key and certificate with what is declared. Where they differ, it generates a new key beside the one in use
    and returns the request to have signed; where only an owner or a mode differs, it mends that.
  - Given the signed certificate, it puts the new key and the certificate into use together, so that a consumer never
    meets one without the other. A new certificate always has a new key.
options:
  key:
    description: File of the key.
    type: path
    required: true
  certificate:
    description: File of the certificate.
    type: path
    required: true
  authority:
    description: The authority's certificate and its revocation list, both PEM.
    type: str
    required: true
  subject:
    description: Common name.
    type: str
    required: true
  names:
    description: DNS names, exactly these.
    type: list
    elements: str
    required: true
  addresses:
    description: Addresses, exactly these.
    type: list
    elements: str
    default: []
  key_type:
    description: Type of the key.
    type: str
    choices: [ec-p256, ec-p384, rsa-3072, rsa-4096]
    required: true
  key_group:
    description: Group that may read the key.
    type: str
    required: true
  renew_days:
    description: Days left at which the certificate is replaced.
    type: int
    required: true
  signed:
    description: The certificate for the request returned before.
    type: str
author: wardround
"""

RETURN = r"""
request:
  description: The request to have signed.
  returned: when a new certificate is needed, outside check mode
  type: str
"""

KEY_OPTIONS = {
    "ec-p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ec-p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa-3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa-4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
}
ACCESS = ("key access", "certificate access")
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


class Leaf:
    """Key and certificate of this host, seen and changed through openssl."""

    def __init__(self, module: AnsibleModule, folder: Path) -> None:
        """Take the module that declares the certificate, and a folder for files of the moment."""
        self.module = module
        self.declared = module.params
        self.key, self.certificate = Path(module.params["key"]), Path(module.params["certificate"])
        self.next_key = self.key.with_name(f".{self.key.name}.next")
        self.authority = folder / "authority.pem"
        self.authority.write_text(module.params["authority"], encoding="ascii")

    def openssl(self, *arguments: str, data: str | None = None) -> str | None:
        """Return what openssl prints, None when it fails."""
        code, out, _ = run_command(self.module, ["openssl", *arguments], data)
        return str(out) if code == 0 else None

    def must(self, *arguments: str) -> str:
        """Return what openssl prints; end the module when it fails."""
        code, out, err = run_command(self.module, ["openssl", *arguments])
        if code != 0:
            self.module.fail_json(msg=f"openssl {arguments[0]} failed: {err.strip()}", rc=code)
        return str(out)

    def about(self, *arguments: str) -> str:
        """Return what openssl says about the certificate, nothing without one."""
        return self.openssl("x509", "-in", str(self.certificate), "-noout", *arguments) or ""

    def public_key(self, key: Path) -> str:
        """Return the public half of a key, in PEM."""
        return self.openssl("pkey", "-in", str(key), "-pubout") or ""

    def key_type(self) -> str:
        """Return the type of the key that is there."""
        if not self.key.exists():
            return "absent"
        text = self.openssl("pkey", "-pubin", "-noout", "-text", data=self.public_key(self.key)) or ""
        bits, curve = re.search(r"Public-Key: \((\d+) bit\)", text), re.search(r"NIST CURVE: (\S+)", text)
        if curve:
            return "ec-" + curve[1].lower().replace("-", "")
        return f"rsa-{bits[1]}" if bits and "Modulus:" in text else "unreadable"

    def alternatives(self) -> tuple[list[str], list[str]]:
        """Return the DNS names and the addresses in the certificate."""
        lines = self.about("-ext", "subjectAltName").splitlines()[1:]
        entries = [entry.strip().partition(":") for line in lines for entry in line.split(",")]
        names = sorted(value for kind, _, value in entries if kind == "DNS")
        return names, sorted(str(ipaddress.ip_address(value)) for kind, _, value in entries if kind == "IP Address")

    def is_revoked(self) -> bool:
        """Tell whether the authority's revocation list names the certificate."""
        serial = self.about("-serial").strip().partition("=")[2]
        listed = self.openssl("crl", "-in", str(self.authority), "-noout", "-text") or ""
        return serial in re.findall(r"Serial Number: ([0-9A-F]+)", listed)

    def is_signed(self) -> bool:
        """Tell whether the authority signed the certificate for servers, whatever the time."""
        trust = ("-CAfile", str(self.authority), "-no-CApath", "-no-CAstore", "-no_check_time")
        return self.openssl("verify", *trust, "-purpose", "sslserver", str(self.certificate)) is not None

    def actual(self) -> State:
        """Return how key and certificate stand."""
        left = str(self.declared["renew_days"] * SECONDS_A_DAY)
        names, addresses = self.alternatives()
        certified = self.about("-pubkey")
        return {
            "key": self.key_type(),
            "key access": access(self.key),
            "certificate access": access(self.certificate),
            "subject": self.about("-subject", "-nameopt", "utf8").strip().partition("=")[2],
            "issuer": self.about("-issuer", "-nameopt", "utf8").strip().partition("=")[2],
            "names": names,
            "addresses": addresses,
            "belongs to the key": certified == self.public_key(self.key) != "",
            "signed by the authority": self.is_signed(),
            "revoked": self.is_revoked(),
            f"valid for {self.declared['renew_days']} days": bool(self.about("-checkend", left)),
        }

    def expected(self) -> State:
        """Return how key and certificate should stand."""
        group = self.declared["key_group"]
        issuer = self.must("x509", "-in", str(self.authority), "-noout", "-subject", "-nameopt", "utf8")
        return {
            "key": self.declared["key_type"],
            "key access": "0600 root:root" if group == "root" else f"0640 root:{group}",
            "certificate access": "0644 root:root",
            "subject": f"CN={self.declared['subject']}",
            "issuer": issuer.strip().partition("=")[2],
            "names": sorted(name.lower() for name in self.declared["names"]),
            "addresses": sorted(str(ipaddress.ip_address(item)) for item in self.declared["addresses"]),
            "belongs to the key": True,
            "signed by the authority": True,
            "revoked": False,
            f"valid for {self.declared['renew_days']} days": True,
        }

    def request(self, expected: State) -> str:
        """Generate the next key and return the request for it."""
        self.must("genpkey", *KEY_OPTIONS[self.declared["key_type"]], "-out", str(self.next_key))
        alternatives = [f"DNS:{name}" for name in expected["names"]] + [f"IP:{item}" for item in expected["addresses"]]
        return self.must(
            *("req", "-new", "-utf8", "-key", str(self.next_key), "-subj", f"/CN={self.declared['subject']}"),
            *("-addext", f"subjectAltName={','.join(alternatives)}"),
        )

    def use(self, signed: str) -> None:
        """Put the next key and its certificate into use."""
        fresh = self.certificate.with_name(f".{self.certificate.name}.next")
        fresh.write_text(signed.strip() + "\n", encoding="ascii")
        if self.must("x509", "-in", str(fresh), "-noout", "-pubkey") != self.public_key(self.next_key):
            self.module.fail_json(msg="The signed certificate does not belong to the key that was requested for")
        self.next_key.replace(self.key)
        fresh.replace(self.certificate)

    def mend_access(self) -> None:
        """Give key and certificate their owners and modes."""
        group = self.declared["key_group"]
        for path, owner_group, mode in (
            (self.key, group, 0o600 if group == "root" else 0o640),
            (self.certificate, "root", 0o644),
        ):
            os.chown(path, 0, grp.getgrnam(owner_group).gr_gid)
            path.chmod(mode)


def differences(actual: State, expected: State) -> set[str]:
    """Return the names of what differs."""
    return {name for name, value in expected.items() if actual[name] != value}


def main() -> None:
    """Compare, then return a request, or put the signed certificate into use."""
    text = {"type": "str", "required": True}
    path = {"type": "path", "required": True}
    strings = {"type": "list", "elements": "str"}
    module = AnsibleModule(
        argument_spec={
            **dict.fromkeys(("authority", "subject", "key_group"), text),
            **dict.fromkeys(("key", "certificate"), path),
            "names": {**strings, "required": True},
            "addresses": {**strings, "default": []},
            "key_type": {"type": "str", "choices": list(KEY_OPTIONS), "required": True},
            "renew_days": {"type": "int", "required": True},
            "signed": {"type": "str"},
        },
        supports_check_mode=True,
    )
    os.umask(0o077)
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
        leaf = Leaf(module, Path(folder))
        expected, actual = leaf.expected(), leaf.actual()
        differing = differences(actual, expected)
        result: State = {
            "changed": bool(differing),
            "path": str(leaf.certificate),
            "msg": f"differs: {', '.join(sorted(differing))}" if differing else "",
            "diff": {"before": in_words(actual), "after": in_words(expected)},
        }
        if not module.check_mode and module.params["signed"]:
            leaf.use(module.params["signed"])
            leaf.mend_access()
            if left := differences(leaf.actual(), expected):
                result["msg"] = f"The signed certificate is not the declared one: {', '.join(sorted(left))}"
                module.fail_json(**result)
        elif not module.check_mode and differing - set(ACCESS):
            result["request"] = leaf.request(expected)
        elif not module.check_mode and differing:
            leaf.mend_access()
    module.exit_json(**result)


if __name__ == "__main__":
    main()
