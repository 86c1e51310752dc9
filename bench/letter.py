"""A reader's letter: our splice against an EmailMessage built and flattened for each reader."""

from __future__ import annotations

import sys
from email import policy
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from bench.interleaved import race, show
from digest.publishers.message import Reader, Sender, build_issue, places, splice
from digest.render import Renderer
from letter_samples import LINKS, LONG, SITE, WORLD


def main() -> None:
    issue = LONG
    sender = Sender(name="The Morning Post", address="news@example.org")
    text = Renderer().letter(issue, WORLD, SITE, LINKS, reader=places(issue, LINKS))
    prepared = build_issue(issue, WORLD, SITE, sender, text, LINKS)
    token = LINKS.token("unsubscribe", 7)
    reader = Reader(
        address="ann@example.org",
        message_id=LINKS.message_id("ann", "example.org"),
        unsubscribe_token=token,
        preferences_token=LINKS.token("preferences", 7),
    )

    def ours() -> bytes:
        return splice(prepared, reader)

    def built() -> bytes:
        letter = EmailMessage(policy.SMTP)
        letter["From"] = "The Morning Post <news@example.org>"
        letter["To"] = reader.address
        letter["Subject"] = issue.subject
        letter["Message-ID"] = reader.message_id
        letter["List-Unsubscribe"] = f"<{LINKS.unsubscribe(token)}>"
        letter.set_content(text.text, cte="quoted-printable")
        letter.add_alternative(text.html, subtype="html", cte="quoted-printable")
        return letter.as_bytes()

    medians = race({"splice": ours, "EmailMessage, built and flattened": built})
    show(f"one reader's letter of {len(ours()):,} bytes, CPU", medians, "splice")
