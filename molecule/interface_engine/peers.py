"""Play the hospital's software beside an engine.

Usage: peers.py receive PORT FOLDER   answer every message as FOLDER/answer says; FOLDER/received gets its control id
       peers.py send PORT FIRST FILE  send messages by number until FILE exists; print what was acknowledged, in order
"""

import sys
import time
from pathlib import Path

from tests.integration.hospital_software import Destination, Sender

GIVE_UP_SECONDS = 120


def receive(port: int, folder: Path) -> None:
    def judge(identifier: str) -> str:
        with (folder / "received").open("a", encoding="ascii") as received:
            received.write(f"{identifier}\n")
        answer = folder / "answer"
        return answer.read_text(encoding="ascii").strip() if answer.exists() else "AA"

    folder.mkdir(exist_ok=True)
    Destination(judge, port).thread.join()


def send(port: int, number: int, stop: Path) -> None:
    deadline, sender = time.monotonic() + GIVE_UP_SECONDS, None
    while not stop.exists():
        code = ""
        while code != "AA":
            try:
                sender = sender or Sender(port)
                code = sender.result(f"M{number}")
            except (OSError, IndexError):
                sender = None
                if time.monotonic() > deadline:
                    sys.exit("the engine did not come back")
                time.sleep(0.05)
        print(f"M{number}")
        number += 1


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        send(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
