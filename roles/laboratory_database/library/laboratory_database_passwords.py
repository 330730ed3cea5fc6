#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give roles their passwords where these would not let them in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.laboratory_database_psql import Server, literal, name

DOCUMENTATION = r"""
---
module: laboratory_database_passwords
short_description: Give roles their passwords where these would not let them in
description:
  - Tries each password against the stored SCRAM verifier as a login would, and stores a new verifier only where it
    fails. A password stored in any other way, such as MD5, never lets anybody in and is replaced.
  - The verifier is made here, so that no password reaches the server, its logs or a process list.
  - A role without a password is reported and left as it is.
options:
  port:
    description: Port that names the server's socket.
    type: int
    required: true
  logins:
    description: Roles that log in.
    type: list
    elements: str
    required: true
  passwords:
    description: Role to password.
    type: dict
    required: true
author: wardround
"""

ITERATIONS = 4096
VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def verifier(password: str, salt: bytes, iterations: int) -> str:
    """Return what PostgreSQL stores for a password (RFC 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    served = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, served_text = (base64.b64encode(each).decode("ascii") for each in (salt, stored, served))
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored_text}:{served_text}"


def lets_in(password: str, stored: str | None) -> bool:
    """Tell whether a login with the password would succeed."""
    match = VERIFIER.fullmatch(stored or "")
    if not match:
        return False
    return hmac.compare_digest(verifier(password, base64.b64decode(match[2]), int(match[1])), match[0])


def main() -> None:
    """Compare, and store what differs."""
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "logins": {"type": "list", "elements": "str", "required": True},
            "passwords": {"type": "dict", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    passwords = {login: str(module.params["passwords"].get(login) or "") for login in sorted(module.params["logins"])}
    for login, password in passwords.items():
        # PostgreSQL prepares other characters (RFC 4013) before it hashes them.
        if not all(" " <= character <= "~" for character in password):
            module.fail_json(msg=f"The password of {login} holds other characters than printable ASCII")
    server = Server(module, module.params["port"])
    stored = {row["rolname"]: row["rolpassword"] for row in server.ask("SELECT rolname, rolpassword FROM pg_authid")}
    without = [login for login, password in passwords.items() if not password]
    wrong = [login for login, password in passwords.items() if password and not lets_in(password, stored.get(login))]
    if not module.check_mode:
        for login in without:
            module.warn(f"The vault holds no password for {login}, which can therefore not log in as declared")
        for login in wrong:
            fresh = verifier(passwords[login], os.urandom(16), ITERATIONS)
            server.tell([f"ALTER ROLE {name(login)} PASSWORD {literal(fresh)}"])
    module.exit_json(changed=bool(wrong) or (module.check_mode and bool(without)), replaced=wrong, without=without)


if __name__ == "__main__":
    main()
