"""aiosmtplib as its documentation shows it: an EmailMessage for each reader, on kept connections.

aiosmtplib_driver.py LETTER.json PORT LETTERS CONNECTIONS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path
from typing import Any

import aiosmtplib


def message(letter: dict[str, Any], number: int) -> EmailMessage:
    made = EmailMessage(WIRE)
    made["From"] = letter["from"]
    made["To"] = f"reader{number}@example.org"
    made["Subject"] = letter["subject"]
    made["Date"] = letter["date"]
    made["Message-ID"] = f"<{number}.bench@example.org>"
    made["List-Unsubscribe"] = f"<https://example.org/unsubscribe/{number:030}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(letter["text"].replace("@READER@", str(number)), cte="quoted-printable")
    html = letter["html"].replace("@READER@", str(number))
    made.add_alternative(html, subtype="html", cte="quoted-printable")
    return made


async def main(letter: dict[str, Any]) -> None:
    port, letters, connections = map(int, sys.argv[2:5])
    numbers = iter(range(letters))

    async def connection() -> None:
        async with aiosmtplib.SMTP(
            hostname="127.0.0.1", port=port, start_tls=False, local_hostname="bench"
        ) as client:
            for number in numbers:
                await client.send_message(message(letter, number))

    start, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(json.loads(Path(sys.argv[1]).read_text())))
