#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prove that an index and images that came back from a backup belong together.

Usage: pacs-archive-restored STORAGE DATABASE, with these in the environment:
RESTORE_ROOT             folder below which the files lie, at the paths that they had
RESTORE_LISTING          file with a line for each file of the backup: its size, a tab, its path
RESTORE_DATABASE_PREFIX  what stands before a database's name while it is restored

Every file that the index knows must be in the backup with the size that the index says, and every one that was restored
must have the digest that the archive noted when the image came in. Prints what was counted; ends with 1 where anything
differs.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

SHOWN = 5
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The database compares: an archive has millions of images.
QUESTIONS = f"""
SELECT 'known', count(*) FROM attachedfiles;
SELECT 'restored', count(*) FROM restored JOIN attachedfiles USING (uuid);
(SELECT 'wrong', uuid || ' is in the index and not in the backup'
  FROM attachedfiles LEFT JOIN backed USING (uuid) WHERE size IS NULL LIMIT {SHOWN})
UNION ALL
(SELECT 'wrong', uuid || ' has ' || size || ' bytes in the backup and ' || compressedsize || ' in the index'
  FROM attachedfiles JOIN backed USING (uuid) WHERE size <> compressedsize LIMIT {SHOWN})
UNION ALL
(SELECT 'wrong', uuid || ' came back with another digest'
  FROM attachedfiles JOIN restored USING (uuid) WHERE digest IS DISTINCT FROM compressedhash LIMIT {SHOWN});
"""  # noqa: S608 - nothing from outside


def backed_up(listing: Path, storage: str) -> Iterator[str]:
    """Name and size of every image that the backup holds."""
    with listing.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            size, _, path = line.rstrip("\n").partition("\t")
            uuid = path.rpartition("/")[2]
            if UUID.fullmatch(uuid) and path == f"{storage}/{uuid[0:2]}/{uuid[2:4]}/{uuid}":
                yield f"{uuid}\t{size}\n"


def came_back(root: Path, storage: str) -> Iterator[str]:
    """Name and MD5 of every restored image; that digest is there to find damage, not to withstand an attacker."""
    for path in (root / storage.lstrip("/")).glob("*/*/*"):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if UUID.fullmatch(path.name):
            yield f"{path.name}\t{digest}\n"


def script(listing: Path, root: Path, storage: str) -> Iterator[str]:
    """Tell the restored index what the backup holds and what came back, and ask it what is wrong."""
    yield "CREATE TEMPORARY TABLE backed (uuid text, size bigint);\nCOPY backed FROM STDIN;\n"
    yield from chain(backed_up(listing, storage), ["\\.\n"])
    yield "CREATE TEMPORARY TABLE restored (uuid text, digest text);\nCOPY restored FROM STDIN;\n"
    yield from chain(came_back(root, storage), ["\\.\n"])
    yield QUESTIONS


def answers(database: str, lines: Iterator[str]) -> list[tuple[str, str]]:
    """Run a script on the restored index and return the pairs that it gives."""
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as given,
        subprocess.Popen(
            [*command, "--set=ON_ERROR_STOP=1", f"--dbname={database}"],
            stdin=subprocess.PIPE,
            stdout=given,
            text=True,
            user="postgres",
            group="postgres",
            extra_groups=(),
            cwd="/",
        ) as asked,
    ):
        if asked.stdin is not None:
            asked.stdin.writelines(lines)
            asked.stdin.close()
        if asked.wait():
            sys.exit("the restored index cannot be read")
        given.seek(0)
        pairs = [line.rstrip("\n").partition("\t") for line in given]
    return [(kind, text) for kind, _, text in pairs]


def main() -> None:
    """Compare index, backup and restored files."""
    storage, database = sys.argv[1].rstrip("/"), os.environ["RESTORE_DATABASE_PREFIX"] + sys.argv[2]
    lines = script(Path(os.environ["RESTORE_LISTING"]), Path(os.environ["RESTORE_ROOT"]), storage)
    pairs = answers(database, lines)
    counted = {kind: int(text) for kind, text in pairs if kind != "wrong"}
    wrong = [text for kind, text in pairs if kind == "wrong"]
    if counted["known"] and not counted["restored"]:
        wrong.append("not one image was restored")
    if wrong:
        sys.exit(f"index and images do not belong together: {'; '.join(wrong)}")
    print(f"{counted['known']} images in index and backup, {counted['restored']} restored with their digests")


if __name__ == "__main__":
    main()
