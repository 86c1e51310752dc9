"""The frozen settings of one run, and how a file becomes them."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from digest.addresses import key as address_key
from digest.config.choice import filters, interests, odd_filters, odd_interests, odd_sections
from digest.config.document import Document, Loc, read
from digest.config.kinds import secret_text
from digest.config.nodes import without_collector
from digest.config.problems import ConfigError, Problem, suggestion
from digest.config.sections import required
from digest.config.shape import (
    CHANNELS,
    OURS,
    ConfigFile,
    Context,
    FeedFile,
    FetchSettings,
    Keep,
    LlmSettings,
    NewsletterFile,
    OpmlFile,
    OpmlRef,
    ReadOpml,
    ReportSettings,
    WebSettings,
    with_channels,
)
from digest.config.words import problems
from digest.model import Follow, Newsletter, NotFound, Schedule, Site

ChannelSettings = Callable[[str], type]

SECRET_FILE = "secret.key"  # noqa: S105 - the name of a file
_MADE_WHEN_MISSING: frozenset[Loc] = frozenset({("secret",), ("secret", 0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the file says, checked, with defaults filled in.

    secret: b"" when its file is not there yet; see `ensure_secret`. former_secrets: what verifies and does
    not sign any more. channels: each channel's own settings,
    by name. lists: the OPML files, by newsletter. notes: what the admin should know and need not mend.
    hash: of what decides how an issue is composed: two processes with the same hash make the same issues.
    """

    site: Site
    database: str = field(repr=False)  # may hold a password
    secret: bytes = field(repr=False)
    secret_file: Path | None
    former_secrets: tuple[bytes, ...] = field(repr=False)
    channels: Mapping[str, Any]
    newsletters: tuple[Newsletter, ...]
    web: WebSettings
    keep: Keep
    fetch: FetchSettings
    report: ReportSettings
    llm: LlmSettings | None
    templates: Path | None
    folder: Path
    lists: Mapping[str, tuple[OpmlRef, ...]]
    notes: tuple[Problem, ...]
    hash: str


def load(
    path: str | Path,
    *,
    channel_settings: ChannelSettings,
    env: Mapping[str, str],
    read_opml: ReadOpml | None = None,
    raw: bytes | None = None,
) -> Settings:
    """The settings in that file. Raises ConfigError with every problem there is.

    channel_settings: the settings dataclass of a channel by its name; raises NotFound for what is no channel.
    read_opml: what an OPML file says, in `feeds`; raises DigestError. raw: what the file would say, instead
    of what it says.
    """
    with without_collector():
        return _load(_document(Path(path), env, raw), channel_settings, read_opml)


def _load(document: Document, channel_settings: ChannelSettings, read_opml: ReadOpml | None) -> Settings:
    _default_secret(document)
    former = _former_secrets(document)
    channels = _channels(document, channel_settings)
    _complain_of_doubles(document)
    shape = with_channels(channels)
    config: ConfigFile | None = None
    try:
        config = shape.model_validate(document.data, context=Context(document.folder, read_opml))
    except ValidationError as error:
        document.problems += problems(error, document, shape)
    if config is not None:
        _complain_of_no_way(config, document)
        _complain_of_unknown(config, document)
    if document.problems or config is None:
        raise ConfigError(document.problems)
    return _settings(config, channels, document, former)


# ---------------------------------------------------------------- before pydantic


def _document(path: Path, env: Mapping[str, str], raw: bytes | None) -> Document:
    try:
        raw = path.read_bytes() if raw is None else raw
    except FileNotFoundError as error:
        text = "there is no such file; `digest init` writes one"
        raise ConfigError([Problem(file=str(path), text=text)]) from error
    except OSError as error:
        raise ConfigError([Problem(file=str(path), text=f"cannot be read: {error.strerror}")]) from error
    folder = path.absolute().parent
    return read(raw, name=str(path), folder=folder, env=env, may_lack=_MADE_WHEN_MISSING)


def _default_secret(document: Document) -> None:
    """Without a word about it in the config, the secret is the file `secret.key` beside it."""
    loc: Loc = ("secret",)
    if "secret" in document.data or loc in document.files or document.is_spoiled(loc):
        return
    text = document.file(loc, SECRET_FILE)
    if text is not None:
        document.data["secret"] = text


def _former_secrets(document: Document) -> tuple[bytes, ...]:
    """Of a list of secrets all but the first, which takes the place of the list."""
    secrets = document.data.get("secret")
    if not isinstance(secrets, list):
        return ()
    former: list[bytes] = []
    for number, text in enumerate(secrets[1:], 1):
        loc: Loc = ("secret", number)
        if document.is_spoiled(loc):
            continue
        try:
            former.append(secret_text(text).encode())
        except PydanticCustomError as error:
            document.complain(loc, error.message())
    if secrets and secrets[0] is not None:
        document.data["secret"] = secrets[0]
    else:
        del document.data["secret"]
        if not secrets:
            document.complain(("secret",), "is empty; nothing is ever signed with an empty key")
    return tuple(former)


def _newsletters(document: Document) -> Iterator[tuple[Loc, dict[str, Any]]]:
    found = document.data.get("newsletters")
    for slug, newsletter in found.items() if isinstance(found, dict) else ():
        if isinstance(newsletter, dict):
            yield ("newsletters", slug), newsletter


def _channels(document: Document, channel_settings: ChannelSettings) -> dict[str, type]:
    """The settings class of every channel that is used or has a section."""
    wanted: dict[str, list[Loc]] = {}
    for loc, newsletter in _newsletters(document):
        given = newsletter.get("channels", CHANNELS)
        for number, name in enumerate(given if isinstance(given, list | tuple) else ()):
            if isinstance(name, str):
                place = (*loc, "channels", number) if "channels" in newsletter else loc
                wanted.setdefault(name, []).append(place)
    for name in document.data:
        if name not in OURS:
            wanted.setdefault(name, [])
    classes: dict[str, type] = {}
    for name, places in wanted.items():
        try:
            classes[name] = channel_settings(name)
        except NotFound:
            for place in places:
                said = (
                    "there is no such channel"
                    if document.hidden_under(place)
                    else f"there is no channel {name}"
                )
                hint = suggestion(name, CHANNELS, otherwise="ours are")
                document.complain(place, f"{said}; {hint}")
            continue
        must = required(classes[name])
        if must and places and name not in document.data and not document.is_spoiled((name,)):
            user = ".".join(map(str, places[0][:2]))
            text = f"is missing; {user} goes out by it, and it must give: {', '.join(must)}"
            document.complain((name,), text, key=True)
    return classes


def _complain_of_doubles(document: Document) -> None:
    """A feed that is followed twice by one newsletter: which weight, which section?"""
    for loc, newsletter in _newsletters(document):
        seen: dict[str, Loc] = {}
        feeds = newsletter.get("feeds")
        for number, item in enumerate(feeds if isinstance(feeds, list) else ()):
            url = item.get("url") if isinstance(item, dict) else item
            if not isinstance(url, str) or not url.strip():
                continue
            place = (*loc, "feeds", number, "url") if isinstance(item, dict) else (*loc, "feeds", number)
            first = seen.setdefault(url.strip(), place)
            if first != place:
                line = document.place(first).line
                document.complain(place, f"is followed twice by this newsletter; the first is in line {line}")


def _complain_of_no_way(config: ConfigFile, document: Document) -> None:
    """A report would wait for ever if nothing of ours goes by mail."""
    sections: Any = config  # the sections were added to the class while the program ran
    if sections.report.to and not any("email" in item.channels for item in config.newsletters.values()):
        document.complain(("report", "to"), "goes by mail, and no newsletter has the channel email")


def _complain_of_unknown(config: ConfigFile, document: Document) -> None:
    """A model that writes for a newsletter that there is not."""
    sections: Any = config
    for number, slug in enumerate(sections.llm.newsletters if sections.llm else ()):
        if slug not in config.newsletters:
            hint = suggestion(slug, sorted(config.newsletters), otherwise="there are")
            loc: Loc = ("llm", "newsletters", number)
            said = "no newsletter of that name" if document.hidden_under(loc) else f"no newsletter {slug}"
            document.complain(loc, f"there is {said}; {hint}")


# ---------------------------------------------------------------- after pydantic


def _settings(
    config: ConfigFile, channels: Mapping[str, type], document: Document, former: tuple[bytes, ...]
) -> Settings:
    notes: list[Problem] = []
    site = Site(title=config.site.title, url=config.site.url, postal_address=config.site.postal_address)
    newsletters = tuple(_newsletter(slug, item, document, notes) for slug, item in config.newsletters.items())
    sections: Any = config  # the sections were added to the class while the program ran
    _note_open_line(sections.llm, document, notes)
    return Settings(
        site=site,
        database=config.database,
        secret=(config.secret or "").encode(),
        secret_file=document.files.get(("secret",), document.files.get(("secret", 0))),
        former_secrets=tuple(each for each in former if each != (config.secret or "").encode()),
        channels={name: getattr(sections, name) or settings() for name, settings in channels.items()},
        newsletters=newsletters,
        web=sections.web,
        keep=sections.keep,
        fetch=sections.fetch,
        report=sections.report,
        llm=sections.llm,
        templates=config.templates,
        folder=document.folder,
        lists={
            slug: tuple(feed.opml for feed in item.feeds if isinstance(feed, OpmlFile))
            for slug, item in config.newsletters.items()
        },
        notes=tuple(notes),
        hash=_hash(site, newsletters, sections.llm),
    )


def _note_open_line(llm: LlmSettings | None, document: Document, notes: list[Problem]) -> None:
    """A key that everybody on the way can read. Names without a dot are machines near us."""
    host = urlsplit(llm.endpoint).hostname or "" if llm else ""
    if llm and llm.key and llm.endpoint.startswith("http://") and "." in host and not _is_near(host):
        text = "goes over a line that anyone can read, with the key; should it begin with https://?"
        notes.append(document.problem(("llm", "endpoint"), text))


def _is_near(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.endswith((".local", ".internal", ".localhost", ".lan"))


def _newsletter(slug: str, item: NewsletterFile, document: Document, notes: list[Problem]) -> Newsletter:
    follows = _follows(item)
    words, weights = interests(item.interests)
    newsletter = Newsletter(
        slug=slug,
        title=item.title,
        description=item.description,
        language=item.language,
        schedule=Schedule(at=item.schedule.at, zone=item.schedule.zone, days=item.schedule.days),
        follows=follows,
        limit=item.stories.limit,
        per_feed=item.stories.per_feed,
        recipients=_recipients(slug, item, document, notes),
        channels=tuple(dict.fromkeys(item.channels)),
        subject=item.subject,
        catch_up=item.catch_up,
        unknown=item.unknown,
        stale=item.stale,
        interests=words,
        interest_weights=weights,
        per_section=item.stories.sections,
        include=filters(item.stories.include),
        exclude=filters(item.stories.exclude),
    )
    notes.extend(document.problem(place, text) for place, text in _odd(newsletter, item))
    return newsletter


def _odd(newsletter: Newsletter, item: NewsletterFile) -> Iterator[tuple[Loc, str]]:
    """What is no mistake, and hardly meant."""
    loc: Loc = ("newsletters", newsletter.slug)
    stories, follows = (*loc, "stories"), newsletter.follows
    yield from odd_sections((*stories, "sections"), tuple(newsletter.per_section), follows)
    yield from odd_filters(stories, newsletter.include, newsletter.exclude, follows)
    for number, feed in enumerate(item.feeds):
        if isinstance(feed, FeedFile):
            place = (*loc, "feeds", number)
            yield from odd_filters(place, filters(feed.include), filters(feed.exclude), follows)
    yield from odd_interests((*loc, "interests"), item.interests)


def _follows(item: NewsletterFile) -> tuple[Follow, ...]:
    """Each feed once. What the config says of a feed wins over a list that also has it."""
    found: dict[str, Follow] = {}
    for feed in item.feeds:
        if isinstance(feed, str):
            found[feed] = Follow(url=feed)
        elif isinstance(feed, FeedFile):
            found[feed.url] = Follow(
                url=feed.url,
                title=feed.title,
                section=feed.section,
                weight=feed.weight,
                first=feed.first,
                settle=feed.settle,
                full_text=feed.full_text,
                include=filters(feed.include),
                exclude=filters(feed.exclude),
            )
    for feed in item.feeds:
        if isinstance(feed, OpmlFile):
            for follow in feed.opml.follows:
                found.setdefault(follow.url, replace(follow, full_text=feed.full_text))
    return tuple(found.values())


def _recipients(slug: str, item: NewsletterFile, document: Document, notes: list[Problem]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for number, address in enumerate(item.recipients):
        if kept.setdefault(address_key(address), address) is not address:
            loc = ("newsletters", slug, "recipients", number)
            notes.append(document.problem(loc, "is in this list already; it gets one letter"))
    return tuple(kept.values())


def _hash(site: Site, newsletters: Iterable[Newsletter], llm: LlmSettings | None) -> str:
    """Who receives an issue does not change it; everything else that the config says of a newsletter does,
    and which model writes for it."""
    decisive: list[object] = [replace(newsletter, recipients=()) for newsletter in newsletters]
    if llm is not None:
        decisive += [llm.endpoint, llm.model, llm.newsletters]
    return hashlib.sha256(repr((site, decisive)).encode()).hexdigest()
