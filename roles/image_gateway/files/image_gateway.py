#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Send the images that wait in the gateway's stores to the archive, and say what waits.

image-gateway forward   send what waits, for ever; an image leaves its store once the archive has confirmed it
image-gateway report    say of each store how many images wait, and since when
image-gateway late      name each store whose oldest image waits for too long

What a store holds is the queue. There is no list beside it that could be lost, or differ from it.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

CONFIGURATION = Path("/etc/image-gateway/forward.json")
CREDENTIAL = Path("/etc/image-gateway/credential")
VARIABLE = "IMAGE_GATEWAY_PASSWORD"
USER = "forward"
ARCHIVE = "/modalities/to-archive"
# DICOM PS3.4, B.2.3: an earlier attempt got through, but its confirmation did not. Orthanc 1.10 takes it for a failure.
DUPLICATE = "DIMSE status 0x0111"

BATCH = 50
PAGE = 1000
PAUSE_SECONDS = 2
HANDSHAKE_SECONDS = 10
# Longer than the slowest batch: its images are sent while the store's answer is awaited.
ANSWER_SECONDS = 3600

# DICOM PS3.8, 9.3.8: the polite way to leave without an association.
ABORT = bytes.fromhex("07 00 00000004 00 00 00 00")

INFO, WARNING = "<6>", "<4>"
NEVER_LOGGED = "19700101T000000"


class RefusedError(Exception):
    """The store could not do what was asked, and says why."""


class SilentError(Exception):
    """The store or the archive is not there, or not the one that it should be."""


class Image(NamedTuple):
    """An instance in a store, under the store's own name for it, which says nothing of the patient."""

    name: str
    since: datetime


def say(urgency: str, text: str) -> None:
    """Write a line to the journal."""
    print(f"{urgency}{text}", flush=True)


def reason(text: bytes) -> str:
    """Return what the store says of its failure."""
    try:
        answer = json.loads(text)
        return str(answer.get("Details") or answer["Message"])
    except (ValueError, KeyError, AttributeError):
        return text[:200].decode(errors="replace")


class Store:
    """The images that one listener received, by the interface of its Orthanc on loopback."""

    def __init__(self, name: str, port: int, password: str) -> None:
        """Open nothing yet."""
        self.name = name
        self.port = port
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the store's answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self.headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise SilentError(f"the store does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise RefusedError(f"{answer.status} {reason(text)}")
        return json.loads(text) if text else None

    def waiting(self) -> list[Image]:
        """Return the images that wait, the oldest first."""
        present = self.ask("GET", "/instances")
        arrivals: dict[str, str] = {}
        last, done = 0, not present
        while not done:
            # A store forgets the arrival of an image together with the image, so these are few.
            page = self.ask("GET", f"/changes?since={last}&limit={PAGE}")
            arrivals |= {item["ID"]: item["Date"] for item in page["Changes"] if item["ChangeType"] == "NewInstance"}
            last, done = page["Last"], page["Done"]
        images = [Image(name, arrival(arrivals.get(name, NEVER_LOGGED))) for name in present]
        return sorted(images, key=lambda image: image.since)

    def send(self, images: list[Image]) -> None:
        """Have the archive confirm each of these images, or raise RefusedError."""
        names = [image.name for image in images]
        self.ask("POST", f"{ARCHIVE}/store", {"Resources": names, "Synchronous": True, "Permissive": False})

    def echo(self) -> None:
        """Return if the archive still answers."""
        try:
            self.ask("POST", f"{ARCHIVE}/echo", {})
        except RefusedError as error:
            raise SilentError(f"the archive does not answer: {error}") from error

    def let_go(self, image: Image) -> None:
        """Remove an image that the archive has confirmed."""
        self.ask("DELETE", f"/instances/{image.name}")


class Archive(NamedTuple):
    """Where images go, and the name that its certificate must carry."""

    address: str
    port: int
    name: str

    def check(self, credentials: Path) -> None:
        """Return if what answers at the archive's address is the archive.

        Orthanc demands a certificate of the hospital's authority, whoever's it is. The name is asked for here.
        """
        context = ssl.create_default_context(cafile=credentials / "authority")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(credentials / "certificate", credentials / "key")
        try:
            with (
                socket.create_connection((self.address, self.port), HANDSHAKE_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=self.name) as archive,
                # How it takes leave says nothing more, but for an alert that it does not know us.
                suppress(TimeoutError, ConnectionError),
            ):
                archive.sendall(ABORT)
                while archive.recv(PAGE):
                    pass
        except OSError as error:
            raise SilentError(f"no archive named {self.name} at {self.address}:{self.port}: {error}") from error


class Forwarder:
    """Empties one store into the archive, and keeps trying."""

    def __init__(self, store: Store, archive: Archive, credentials: Path, retry_seconds: int) -> None:
        """Begin without knowledge of any trouble."""
        self.store = store
        self.archive = archive
        self.credentials = credentials
        self.retry_seconds = retry_seconds
        self.due = 0.0
        self.trouble = ""
        self.refused: dict[str, float] = {}

    def tell(self, trouble: str) -> None:
        """Say what is wrong once, and once that it is over."""
        if trouble and trouble != self.trouble:
            say(WARNING, f"{self.store.name}: images wait, for {trouble}")
        elif self.trouble and not trouble:
            say(INFO, f"{self.store.name}: images can leave again")
        self.trouble = trouble

    def round(self) -> Iterator[None]:
        """Send what waits and is due, and step aside after each batch."""
        now = time.monotonic()
        if now < self.due:
            return
        try:
            waiting = self.store.waiting()
            self.refused = {image.name: self.refused[image.name] for image in waiting if image.name in self.refused}
            images = [image for image in waiting if self.refused.get(image.name, 0) <= now]
            if images:
                self.archive.check(self.credentials)
                confirmed = 0
                for start in range(0, len(images), BATCH):
                    confirmed += self.deliver(images[start : start + BATCH])
                    yield
                say(INFO, f"{self.store.name}: the archive has confirmed {confirmed} of {len(images)} images")
        except (SilentError, RefusedError) as error:
            self.due = time.monotonic() + self.retry_seconds
            self.tell(str(error))
        else:
            self.tell("")

    def deliver(self, images: list[Image]) -> int:
        """Return how many images the archive has confirmed; one that it refuses does not hold up the others."""
        try:
            self.store.send(images)
        except RefusedError as error:
            self.store.echo()
            half = len(images) // 2
            if half:
                return self.deliver(images[:half]) + self.deliver(images[half:])
            if DUPLICATE not in str(error):
                say(WARNING, f"{self.store.name}: image {images[0].name} stays, for the archive refuses it: {error}")
                self.refused[images[0].name] = time.monotonic() + self.retry_seconds
                return 0
        for image in images:
            self.store.let_go(image)
        return len(images)


def arrival(text: str) -> datetime:
    """Read a moment as Orthanc writes it."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def password() -> str:
    """Return the word that the stores ask for: a service is given it, root reads it."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    return CREDENTIAL.read_text(encoding="ascii").strip().removeprefix(f"{VARIABLE}=")


def forward(stores: list[Store], configuration: dict[str, Any]) -> None:
    """Keep the stores empty."""
    archive = Archive(**configuration["archive"])
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    forwarders = [Forwarder(store, archive, credentials, configuration["retry_seconds"]) for store in stores]
    while True:
        # In turns, so that a store that filled up during an outage does not hold up the other.
        for _ in zip_longest(*(forwarder.round() for forwarder in forwarders)):
            pass
        time.sleep(PAUSE_SECONDS)


def report(stores: list[Store], limit: timedelta, *, only_late: bool) -> None:
    """Say what waits in each store, or in each whose oldest image waits for longer than the limit."""
    for store in stores:
        images = store.waiting()
        late = bool(images) and datetime.now(UTC) - images[0].since > limit
        if late or not only_late:
            since = f", the oldest since {images[0].since:%Y-%m-%d %H:%M:%S} UTC" if images else ""
            text = f"{store.name}: {len(images)} images wait{since}"
            say("" if only_late else WARNING if late else INFO, text)


def main() -> None:
    """Do what the only argument says."""
    configuration = json.loads(CONFIGURATION.read_text(encoding="utf-8"))
    stores = [Store(name, port, password()) for name, port in configuration["stores"].items()]
    limit = timedelta(minutes=configuration["waiting_minutes"])
    match sys.argv[1:]:
        case ["forward"]:
            forward(stores, configuration)
        case ["report" | "late" as verb]:
            try:
                report(stores, limit, only_late=verb == "late")
            except (SilentError, RefusedError) as error:
                sys.exit(str(error))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
