#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the declared roles and databases of a PostgreSQL server, with exactly the declared rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.laboratory_database_psql import Server, name

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = r"""
---
module: laboratory_database_objects
short_description: Keep the declared roles and databases of a PostgreSQL server, with exactly the declared rights
description:
  - Creates what is missing and mends what differs. Nothing is ever dropped, and no password is looked at.
  - A declared role has no right over the server and is a member of the declared roles only. A declared database can be
    entered by its owner and its declared users only, has the extension pgaudit, and its schema public is closed to the
    public.
options:
  port:
    description: Port that names the server's socket.
    type: int
    required: true
  roles:
    description: The roles.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      login:
        description: Whether it may log in.
        type: bool
        default: true
      connection_limit:
        description: Connections at a time, -1 for any number.
        type: int
        default: 50
      member_of:
        description: Roles whose rights it has.
        type: list
        elements: str
        default: []
  databases:
    description: The databases.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the database.
        type: str
        required: true
      owner:
        description: Role that owns it.
        type: str
        required: true
      users:
        description: Roles, besides the owner, that may enter it.
        type: list
        elements: str
        default: []
      connection_limit:
        description: Connections at a time, -1 for any number.
        type: int
        default: -1
author: wardround
"""

RIGHTS_OVER_THE_SERVER = ("superuser", "createdb", "createrole", "replication", "bypassrls")
PUBLIC = "PUBLIC"

ROLES = """
SELECT rolname AS name, rolcanlogin AS login, rolinherit AS inherit, rolsuper AS superuser, rolcreatedb AS createdb,
       rolcreaterole AS createrole, rolreplication AS replication, rolbypassrls AS bypassrls,
       coalesce(rolvaliduntil <> 'infinity', false) AS expiring, rolconnlimit AS connection_limit,
       (SELECT coalesce(json_agg(DISTINCT granted.rolname), '[]') FROM pg_auth_members AS membership
        JOIN pg_roles AS granted ON granted.oid = membership.roleid WHERE membership.member = pg_roles.oid) AS member_of
FROM pg_roles
"""
DATABASES = """
SELECT datname AS name, pg_get_userbyid(datdba) AS owner, datallowconn AS open, datconnlimit AS connection_limit,
       (SELECT coalesce(json_agg(json_build_array(
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type)), '[]')
        FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))) AS rights
FROM pg_database
"""
WITHIN = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pgaudit') AS audited,
       (SELECT coalesce(json_agg(json_build_array(
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type)), '[]')
        FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
        WHERE nspname = 'public') AS rights
"""
Row = dict[str, Any]


class Difference(NamedTuple):
    """What differs, and the statements that mend it."""

    what: str
    actual: str
    expected: str
    statements: tuple[str, ...]
    database: str = "postgres"


def role_words(role: Row) -> str:
    """Say in words what a role is."""
    flags = ("login", "inherit", "expiring", *RIGHTS_OVER_THE_SERVER)
    return f"{', '.join(flag for flag in flags if role[flag]) or 'nothing'}; {role['connection_limit']} connections"


def role_differences(actual: dict[str, Row], declared: list[Row]) -> Iterator[Difference]:
    """Yield what differs between the server's roles and the declared ones."""
    for wanted in sorted(declared, key=lambda each: str(each["name"])):
        role = wanted["name"]
        expected: Row = {**dict.fromkeys(RIGHTS_OVER_THE_SERVER, False), "inherit": True, "expiring": False, **wanted}
        options = " ".join(
            [
                "LOGIN" if wanted["login"] else "NOLOGIN",
                "INHERIT",
                *(f"NO{right.upper()}" for right in RIGHTS_OVER_THE_SERVER),
                f"CONNECTION LIMIT {wanted['connection_limit']} VALID UNTIL 'infinity'",
            ]
        )
        if role not in actual:
            yield Difference(f"role {role}", "absent", role_words(expected), (f"CREATE ROLE {name(role)} {options}",))
        elif role_words(actual[role]) != role_words(expected):
            statement = f"ALTER ROLE {name(role)} {options}"
            yield Difference(f"role {role}", role_words(actual[role]), role_words(expected), (statement,))
    # Only now, for every role that one may be a member of exists.
    for wanted in sorted(declared, key=lambda each: str(each["name"])):
        role = wanted["name"]
        has, needs = set(actual.get(role, {"member_of": []})["member_of"]), set(wanted["member_of"])
        if has != needs:
            yield Difference(
                f"role {role} is a member of",
                ", ".join(sorted(has)) or "none",
                ", ".join(sorted(needs)) or "none",
                (
                    *(f"REVOKE {name(group)} FROM {name(role)}" for group in sorted(has - needs)),
                    *(f"GRANT {name(group)} TO {name(role)}" for group in sorted(needs - has)),
                ),
            )


def rights_words(rights: set[tuple[str, str]]) -> str:
    """Say in words who has which right."""
    return ", ".join(f"{grantee} {right.lower()}" for grantee, right in sorted(rights)) or "nobody"


def grantee_name(grantee: str) -> str:
    """Return a grantee as SQL has it."""
    return PUBLIC if grantee == PUBLIC else name(grantee)


def database_rights(wanted: Row) -> set[tuple[str, str]]:
    """Return who may do what with a declared database."""
    users = {(user, right) for user in wanted["users"] for right in ("CONNECT", "TEMPORARY")}
    return users | {(wanted["owner"], right) for right in ("CONNECT", "TEMPORARY", "CREATE")}


def rights_difference(what: str, thing: str, has: set[tuple[str, str]], needs: set[tuple[str, str]]) -> Difference:
    """Return the difference of two sets of rights over one thing."""
    statements = (
        *(f"REVOKE {right} ON {thing} FROM {grantee_name(grantee)}" for grantee, right in sorted(has - needs)),
        *(f"GRANT {right} ON {thing} TO {grantee_name(grantee)}" for grantee, right in sorted(needs - has)),
    )
    return Difference(what, rights_words(has), rights_words(needs), statements)


def database_differences(actual: dict[str, Row], declared: list[Row]) -> Iterator[Difference]:
    """Yield what differs between the server's databases and the declared ones, seen from outside them."""
    for wanted in sorted(declared, key=lambda each: str(each["name"])):
        database, owner, limit = wanted["name"], wanted["owner"], wanted["connection_limit"]
        thing = f"DATABASE {name(database)}"
        needs = database_rights(wanted)
        if database not in actual:
            create = f"CREATE {thing} OWNER {name(owner)} TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT {limit}"
            # What PostgreSQL grants by itself with a new database.
            has = {(PUBLIC, "CONNECT"), (PUBLIC, "TEMPORARY"), *((owner, right) for _, right in needs)}
            rights = rights_difference("", thing, has, needs).statements
            yield Difference(f"database {database}", "absent", f"owned by {owner}", (create, *rights))
            continue
        row = actual[database]
        if row["owner"] != owner:
            statement = f"ALTER {thing} OWNER TO {name(owner)}"
            yield Difference(f"database {database}", f"owned by {row['owner']}", f"owned by {owner}", (statement,))
        if (row["open"], row["connection_limit"]) != (True, limit):
            statement = f"ALTER {thing} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT {limit}"
            before = f"{row['connection_limit']} connections{'' if row['open'] else ', closed'}"
            yield Difference(f"database {database} takes", before, f"{limit} connections", (statement,))
        has = {(grantee, right) for grantee, right in row["rights"]}
        if has != needs:
            yield rights_difference(f"database {database} is open to", thing, has, needs)
    for database in ("postgres", "template1"):
        has = {(grantee, right) for grantee, right in actual[database]["rights"]}
        needs = {(grantee, right) for grantee, right in has if grantee != PUBLIC}
        if has != needs:
            yield rights_difference(f"database {database} is open to", f"DATABASE {name(database)}", has, needs)


def differences_within(server: Server, wanted: Row) -> Iterator[Difference]:
    """Yield what differs inside a declared database."""
    database = wanted["name"]
    row = server.ask(WITHIN, database)[0]
    if not row["audited"]:
        create = ("CREATE EXTENSION pgaudit",)
        yield Difference(f"database {database}: pgaudit", "absent", "present", create, database)
    has = {(grantee, right) for grantee, right in row["rights"]}
    # Where an application has removed the schema, there is nothing to close.
    if not has:
        return
    needs = {(grantee, right) for grantee, right in has if grantee != PUBLIC}
    needs |= {(user, "USAGE") for user in wanted["users"] if user != wanted["owner"]}
    if has != needs:
        difference = rights_difference(f"database {database}: schema public is open to", "SCHEMA public", has, needs)
        yield difference._replace(database=database)


def all_differences(server: Server, roles: list[Row], databases: list[Row]) -> Iterator[Difference]:
    """Yield everything that differs; where a change is made on the way, the rest is seen as it is after it."""
    yield from role_differences({row["name"]: row for row in server.ask(ROLES)}, roles)
    yield from database_differences({row["name"]: row for row in server.ask(DATABASES)}, databases)
    there = {row["name"] for row in server.ask(DATABASES) if row["open"]}
    for wanted in databases:
        if wanted["name"] in there:
            yield from differences_within(server, wanted)


def main() -> None:
    """Compare, and mend what differs."""
    limit = {"type": "int", "default": -1}
    text = {"type": "str", "required": True}
    names = {"type": "list", "elements": "str", "default": []}
    role = {
        "name": text,
        "login": {"type": "bool", "default": True},
        "connection_limit": {"type": "int", "default": 50},
    }
    database = {"name": text, "owner": text, "users": names, "connection_limit": limit}
    dicts = {"type": "list", "elements": "dict", "required": True}
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "roles": {**dicts, "options": {**role, "member_of": names}},
            "databases": {**dicts, "options": database},
        },
        supports_check_mode=True,
    )
    server = Server(module, module.params["port"])
    declared = module.params["roles"], module.params["databases"]
    found = []
    for difference in all_differences(server, *declared):
        found.append(difference)
        if not module.check_mode:
            server.tell(difference.statements, difference.database)
    result = {
        "changed": bool(found),
        "name": "roles and databases",
        "msg": f"differs: {', '.join(each.what for each in found)}" if found else "",
        "diff": {
            "before_header": "server",
            "after_header": "declared",
            "before": "".join(f"{each.what}: {each.actual}\n" for each in found),
            "after": "".join(f"{each.what}: {each.expected}\n" for each in found),
        },
    }
    if found and not module.check_mode and (left := [each.what for each in all_differences(server, *declared)]):
        module.fail_json(**{**result, "msg": f"still differs after the change: {', '.join(left)}"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
