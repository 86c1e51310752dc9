"""The channel `email`: one letter for each reader, by a mail server or into the local inbox.

    issue → prepare (once, in a worker) → prepared bytes, stored → splice (for each reader) → relay | inbox

The bytes of a letter depend only on the issue and the reader: whoever sends it, and however often, it is the
same letter with the same Message-ID.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from digest import addresses
from digest.links import Links
from digest.model import Delivery, Issue, Newsletter, NotFound, Notice, NotReady, PublishError, Receipt, Site
from digest.publishers.base import Advice, Audience, Lent, Work
from digest.publishers.budget import by_priority, limiters, paused
from digest.publishers.connections import Connections
from digest.publishers.dkim import Dkim, Signer, advice
from digest.publishers.envelope import Letter, whole
from digest.publishers.issue_letters import IssueLetters
from digest.publishers.login import in_the_clear
from digest.publishers.message import Reader, Sender, build_issue, build_notice, places, values_of
from digest.publishers.mime import wire_address
from digest.publishers.relay import Relay
from digest.publishers.relays import Relays
from digest.publishers.replies import Blocked
from digest.publishers.together import Together
from digest.render import NoticeText, RenderError, renderer
from digest.workers import WorkerFailed

PREPARE_SECONDS = 30.0
INBOX_AT_ONCE = 8
MOST_KEYS = 4
WELCOME_STORIES = 7  # headlines of the latest issue in a first letter
NOBODY = 0  # the subscription that never exists: its links leave nothing and change nothing
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]+)>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How letters leave.

    from_: whom they come from, as `Name <address>`; without a name it is the site's title.
    transport: `inbox` keeps letters here and shows them at /dev/inbox; `smtp` sends them.
    reply_to: where answers go, if not to `from`.
    smtp: the mail servers, in order; one is used while those before it are down.
    dkim: the key that letters are signed with, or a list of keys.
    """

    from_: str = field(metadata={"key": "from"})
    transport: Literal["inbox", "smtp"] = "inbox"
    reply_to: str | None = None
    smtp: tuple[Relay, ...] = ()
    dkim: Dkim | tuple[Dkim, ...] = ()

    def __post_init__(self) -> None:
        if self.transport not in ("inbox", "smtp"):
            raise ValueError(f"transport must be inbox or smtp, not {self.transport!r}")
        if self.transport == "smtp" and not self.smtp:
            raise ValueError("transport is smtp, but there is no mail server under `smtp`")
        if len(self.keys) > MOST_KEYS:
            raise ValueError(f"dkim: {MOST_KEYS} keys at most; each costs time with every letter")
        if len({key.place for key in self.keys}) < len(self.keys):
            raise ValueError("dkim: two keys have the same domain and selector")
        _ = self.sender

    @property
    def keys(self) -> tuple[Dkim, ...]:
        return (self.dkim,) if isinstance(self.dkim, Dkim) else self.dkim

    @property
    def sender(self) -> Sender:
        """Raises ValueError."""
        named = _NAMED.fullmatch(self.from_.strip())
        name = named["name"].strip().strip('"').strip() if named else ""
        return Sender(
            name=name,
            address=_address("from", named["address"] if named else self.from_),
            reply_to=None if self.reply_to is None else _address("reply_to", self.reply_to),
        )


def _address(key: str, text: str) -> str:
    try:
        return addresses.normalize(text)
    except addresses.AddressError as error:
        raise ValueError(f"{key}: {text!r} is no mail address: {error}") from error


# ---------------------------------------------------------------- the letters, pure


def prepare_issue(
    issue: Issue,
    newsletter: Newsletter,
    site: Site,
    sender: Sender,
    links: Links,
    templates: Path | None,
    language: str = "",
) -> bytes:
    """The prepared letter of an issue, with places for what is the reader's own. language: of our words in
    it; empty: the issue's."""
    reader = places(issue, links)
    text = renderer(templates).letter(issue, newsletter, site, links, reader=reader, language=language)
    return build_issue(issue, newsletter, site, sender, text, links)


class Written(NamedTuple):
    """A letter as it goes out, its body in pieces. plain: its lines are known to need no dots doubled, and it
    is ASCII but for the recipient's address."""

    recipient: str
    subject: str
    message_id: str
    body: Sequence[bytes]
    plain: bool = False


def write_notice(
    notice: Notice,
    newsletter: Newsletter | None,
    subscription_id: int | None,
    site: Site,
    sender: Sender,
    links: Links,
    templates: Path | None,
    language: str = "",
) -> Written:
    """A letter that is no issue, whole. subscription_id: whom it is about. language: what the reader chose;
    empty: the newsletter's."""
    language = language or (newsletter.language if newsletter else "en")
    text = _notice_text(notice, newsletter, subscription_id, language, site, links, templates)
    message_id = links.message_id(f"notice|{notice.key}", sender.domain)
    body = build_notice(notice, site, sender, text, language=language, message_id=message_id)
    return Written(recipient=notice.recipient, subject=text.subject, message_id=message_id, body=[body])


def _notice_text(
    notice: Notice,
    newsletter: Newsletter | None,
    subscription_id: int | None,
    language: str,
    site: Site,
    links: Links,
    templates: Path | None,
) -> NoticeText:
    context: dict[str, Any] = {}
    match notice.kind:
        case "confirm":
            if newsletter is None or subscription_id is None:
                raise PublishError("a confirmation without a subscription", permanent=True)
            token = links.token("confirm", subscription_id, issued=notice.created_at)
            context = {"newsletter": newsletter.title, "url": links.confirm(token)}
        case "welcome":
            if newsletter is None or subscription_id is None:
                raise PublishError("a welcome without a subscription", permanent=True)
            path = notice.data.get("path")
            context = {
                "newsletter": newsletter.title,
                "tongue": newsletter.language,
                "lines": tuple(notice.data.get("stories", ()))[:WELCOME_STORIES],
                "url": links.issue(path) if path else links.newsletter(newsletter.slug),
                "preferences": links.preferences(links.token("preferences", subscription_id)),
                "unsubscribe": links.unsubscribe(links.token("unsubscribe", subscription_id)),
            }
        case "manage":
            if newsletter is None or subscription_id is None:
                raise PublishError("a link to nobody's data", permanent=True)
            token = links.token("manage", subscription_id, issued=notice.created_at)
            context = {"newsletter": newsletter.title, "url": links.manage(token)}
        case "address":
            if newsletter is None or "change_id" not in notice.data:
                raise PublishError("a change of address without the change", permanent=True)
            token = links.token("address", int(notice.data["change_id"]), issued=notice.created_at)
            context = {"newsletter": newsletter.title, "url": links.address(token)}
        case "moved":
            context = {"newsletter": newsletter.title if newsletter else site.title, "url": ""}
        case "goodbye":
            if newsletter is None:
                raise PublishError("a goodbye without a newsletter", permanent=True)
            context = {"newsletter": newsletter.title, "url": links.newsletter(newsletter.slug)}
        case "report":
            told = ("title", "lines", "groups", "url")
            context = {key: notice.data[key] for key in told if key in notice.data}
        case _:
            context = {"url": links.home()}
    return renderer(templates).notice(notice.kind, language, site=site, **context)


# ---------------------------------------------------------------- the channel


class Publisher:
    """Sends letters.

    stream: only where there is a mail server; the local inbox takes one letter at a time, and a publisher
    for it is no `Streams`.
    """

    channel = "email"
    audience: Audience = "readers"
    stream: Callable[[Work], Awaitable[None]]

    def __init__(self, settings: Settings, lent: Lent) -> None:
        self._sender = settings.sender
        self._signer = Signer(settings.keys)
        self._settings = settings
        self._lent = lent
        self._from = wire_address(self._sender.address)
        self._relays = _relays(settings, lent) if settings.transport == "smtp" else None
        if self._relays:
            self.stream = partial(self._relays.stream, compose=self._outgoing)
        self._letters = IssueLetters(lent.store, self._signer, self._of_old, channel=self.channel)
        self.concurrency = (
            max(relay.connections for relay in settings.smtp) if self._relays else INBOX_AT_ONCE
        )

    async def prepare(self, issue: Issue, newsletter: Newsletter) -> bytes:
        """Render and encode the letter once for all readers."""
        return await self._render(issue, newsletter)

    async def prepare_in(self, issue: Issue, newsletter: Newsletter, language: str) -> bytes | None:
        """The same letter with our own words in another language; None when it has them already."""
        return None if language == issue.language else await self._render(issue, newsletter, language)

    async def _render(self, issue: Issue, newsletter: Newsletter, language: str = "") -> bytes:
        lent = self._lent
        return await lent.workers.run(
            prepare_issue,
            issue,
            newsletter,
            lent.site,
            self._sender,
            lent.links,
            lent.templates,
            language,
            timeout=PREPARE_SECONDS,
        )

    async def connect(self) -> None:
        """Be connected before anything is claimed. Raises PublishError while no relay takes letters."""
        if self._relays:
            await self._relays.connect()

    async def publish(self, delivery: Delivery) -> Receipt:
        """Send one letter. Raises PublishError."""
        written = await self._written(delivery)
        if self._relays:
            body = b"".join(written.body)
            return await self._relays.send(self._from, wire_address(written.recipient), body)
        return await self._keep(written, delivery.subscription_id)

    async def _outgoing(self, delivery: Delivery) -> Letter:
        """The letter of a delivery as the wire wants it. Raises PublishError."""
        written = await self._written(delivery)
        recipient = wire_address(written.recipient)
        if not written.plain:
            return whole(self._from, recipient, b"".join(written.body))
        beyond_ascii = not recipient.isascii()
        return Letter(
            sender=self._from,
            recipient=recipient,
            body=written.body,
            dots=False,
            needs_utf8=beyond_ascii,
            needs_8bit=beyond_ascii,
        )

    async def _written(self, delivery: Delivery) -> Written:
        """Raises PublishError."""
        try:
            return await self._write(delivery)
        except NotFound as error:
            raise PublishError(str(error), permanent=True) from error
        except (WorkerFailed, RenderError) as error:
            raise PublishError(f"the letter was not written: {error}") from error
        except NotReady as error:
            raise PublishError(str(error), counts=False) from error

    async def _keep(self, letter: Written, subscription_id: int | None) -> Receipt:
        try:
            await self._lent.store.inbox.keep(
                recipient=letter.recipient,
                subject=letter.subject,
                message_id=letter.message_id,
                body=b"".join(letter.body),
                now=self._lent.clock(),
                subscription_id=subscription_id,
            )
        except NotReady as error:  # keeping the same letter twice is harmless: the inbox knows its Message-ID
            raise PublishError(str(error), counts=False, relay="inbox") from error
        return Receipt(relay="inbox", reply="kept in the local inbox")

    async def advice(self) -> list[Advice]:
        """For those who send: are the letters signed, and for the right domain; is a password shown to
        everybody; is a relay paused."""
        told = (
            advice(self._settings.keys, self._sender.address) if self._relays or self._settings.keys else []
        )
        if not self._relays:
            return told
        relays, budgets = self._settings.smtp, self._lent.store.budgets
        return [*told, *in_the_clear(relays), *(await paused(relays, budgets, self._lent.clock()))]

    async def close(self) -> None:
        """Let the letters under way finish and say goodbye."""
        if self._relays:
            await self._relays.close()

    async def _write(self, delivery: Delivery) -> Written:
        if "@" not in delivery.recipient:
            raise PublishError("the reader's address has been erased", permanent=True)
        if delivery.issue_id is not None:
            reader = delivery.recipient if delivery.subscription_id is None else delivery.subscription_id
            return await self._write_issue(delivery, delivery.issue_id, f"{reader}")
        if delivery.notice_id is None:
            raise PublishError("a delivery of nothing", permanent=True)
        notice = await self._lent.store.notices.get(delivery.notice_id)
        if notice.kind == "test" and "issue_id" in notice.data:
            return await self._write_issue(delivery, int(notice.data["issue_id"]), f"test|{notice.key}")
        return await self._write_notice(delivery, notice)

    async def _write_issue(self, delivery: Delivery, issue_id: int, reader: str) -> Written:
        prepared = await self._letters.of(issue_id, delivery.language)
        links = self._lent.links
        about = NOBODY if delivery.subscription_id is None else delivery.subscription_id
        message_id = links.message_id(f"{prepared.tag}|{reader}", self._sender.domain)
        values = values_of(
            Reader(
                address=delivery.recipient,
                message_id=message_id,
                unsubscribe_token=links.token("unsubscribe", about),
                preferences_token=links.token("preferences", about),
            )
        )
        body = [prepared.stamp.sign(values), *prepared.letter.letter(values)]
        return Written(
            plain=True,
            recipient=delivery.recipient,
            subject=prepared.subject,
            message_id=message_id,
            body=body,
        )

    async def _of_old(self, issue: Issue) -> bytes:
        """A letter that was not prepared at birth: a test letter of an issue whose newsletter did not go by
        mail then."""
        publication = await self._lent.store.newsletters.get(issue.newsletter)
        return await self.prepare(issue, publication.newsletter)

    async def _write_notice(self, delivery: Delivery, notice: Notice) -> Written:
        lent = self._lent
        newsletter = None
        if notice.newsletter:
            newsletter = (await lent.store.newsletters.get(notice.newsletter)).newsletter
        about = delivery.subscription_id
        reader = None if about is None else await lent.store.subscriptions.get(about)
        written = await lent.workers.run(
            write_notice,
            notice,
            newsletter,
            delivery.subscription_id,
            lent.site,
            self._sender,
            lent.links,
            lent.templates,
            reader.language if reader else "",
            timeout=PREPARE_SECONDS,
        )
        body = b"".join(written.body)
        return written._replace(body=[self._signer.sign(body, notice.created_at), body])


def _relays(settings: Settings, lent: Lent) -> Relays:
    """The ways out: relays of one priority side by side, those of a later one while they are down."""
    limits = limiters(
        settings.smtp,
        lent.store.budgets,
        clock=lent.clock,
        against_us=lambda error: isinstance(error, Blocked),
    )
    open_ = {
        id(relay): Connections(relay, ehlo=settings.sender.domain, limits=each)
        for relay, each in zip(settings.smtp, limits, strict=True)
    }
    groups = [[open_[id(relay)] for relay in group] for group in by_priority(settings.smtp)]
    return Relays([group[0] if len(group) == 1 else Together(group) for group in groups])
