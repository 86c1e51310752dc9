"""The shape of config.yaml: every setting with its kind, its default and what it means.

Schema, reference and messages are made from these lines. The sections of the channels are added to them,
from the `Settings` that each publisher brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from digest.config.choice import Filters, InterestItem
from digest.config.kinds import (
    Address,
    ApiKey,
    Clock,
    Database,
    Days,
    Duration,
    Endpoint,
    FeedUrl,
    Folder,
    Host,
    Language,
    Line,
    Network,
    Number,
    Patience,
    Proxy,
    Secret,
    SiteUrl,
    Slug,
    Staleness,
    Text,
    Weight,
    Whole,
    Window,
    Zone,
    feed_url,
    wrong,
)
from digest.config.sections import section
from digest.model import WEEKDAYS, DigestError, Follow, Schedule

ReadOpml = Callable[[bytes], Sequence[Follow]]

CHANNELS = ("email", "feed")  # of a newsletter that says nothing of them
FULL_TEXT = "Fetch the page of each article, once, for feeds that tell only the beginning."
INCLUDE = "Only articles that match one of these filters, if there are any."
EXCLUDE = "No article that matches one of these filters; this wins."
LARGEST_LIST = 32 << 20  # bytes of an OPML file; its reader has a limit of its own
ADDRESS, FEED, OPML = "<address>", "<feed>", "<opml>"  # the three forms of an item of `feeds`


class Context(NamedTuple):
    """What validation may look at besides the value."""

    folder: Path
    read_opml: ReadOpml | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlRef:
    """A list of feeds kept in a file of its own, and what it said when it was read."""

    path: Path
    follows: tuple[Follow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupSettings:
    """per_address: sign-ups in an hour from one IP address (of IPv6: from one /64).
    per_network: from the /24 (of IPv6: the /56) that it lies in. in_total: from everywhere.
    fill_time: a form that is sent sooner after its page was loaded is shown once more.
    """

    per_address: Annotated[Whole, Field(ge=1, le=1_000_000)] = 60
    per_network: Annotated[Whole, Field(ge=1, le=1_000_000)] = 300
    in_total: Annotated[Whole, Field(ge=1, le=10_000_000)] = 1000
    fill_time: Duration = timedelta(seconds=2)

    def __post_init__(self) -> None:
        if self.fill_time > timedelta(minutes=1):
            raise ValueError("fill_time: 1m at most; nobody waits that long to send a form")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """trusted_proxies: networks of the proxies in front of us; only their forwarding headers count.
    signup: how many sign-ups are taken; more get the same page, and no letter.
    """

    trusted_proxies: tuple[Network, ...] = ()
    signup: SignupSettings = SignupSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """deliveries: how long single deliveries are kept; their counts stay.
    articles: how long the text of articles is kept; issues stay.
    """

    deliveries: Duration = timedelta(days=30)
    articles: Duration = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """allow: hosts that may be asked although their addresses are private, such as one in your own network;
    with a port (`intranet.example:8080`) only at that port.
    user_agent: what we call ourselves; by default our name and the site's address.
    timeout: for one feed in all, redirects and body included; waiting for its host's turn is not counted.
    gap: how long a host is left alone between two requests; it is never asked for two things at once.
    proxy: an HTTP proxy, `http://HOST:PORT`, to ask all but the hosts under `allow` through; proxies that the
    environment names never count. The proxy looks every name up again: we hand over only names that lead to
    public addresses here, but what it connects to we cannot see. Let it refuse private addresses itself.
    """

    allow: tuple[Host, ...] = ()
    user_agent: Line | None = None
    timeout: Duration = timedelta(seconds=20)
    gap: Duration = timedelta(seconds=1)
    proxy: Proxy | None = None

    def __post_init__(self) -> None:
        if self.gap > timedelta(seconds=10):
            raise ValueError("gap: 10s at most; a feed must be asked while it is held for us")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """to: who gets it, and is told when an issue fails; by default nobody, and it is off.
    day: on which day of the week. at: when, by the clock of `zone`. zone: IANA time zone.
    failures: when more than this part of an issue's letters fails, it is paused and `to` are told.
    """

    to: tuple[Address, ...] = ()
    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    at: Clock = time(8)
    zone: Zone = "UTC"
    failures: Annotated[Number, Field(gt=0, le=1)] = 0.1

    @property
    def schedule(self) -> Schedule:
        return Schedule(at=self.at, zone=self.zone, days=(WEEKDAYS.index(self.day),))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySettings:
    """per_day: the most that a day (UTC) may cost, in the currency of the prices.
    input: the price of a million tokens that the model reads. output: of a million that it writes.
    """

    per_day: Annotated[Number, Field(gt=0, le=1_000_000)]
    input: Annotated[Number, Field(ge=0, le=1_000_000)]
    output: Annotated[Number, Field(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """endpoint: of any service with the interface of OpenAI, up to `/chat/completions`; it may be on this
    machine.
    model: its name, as the service calls it.
    key: what the service knows you by; better from the environment, `${LLM_KEY}`, or a file, `!file llm.key`.
    newsletters: those that it writes for; by default all.
    timeout: for one summary. total: for all summaries of an issue; what is not written by then is made of
    the articles' own sentences.
    calls: questions a day (UTC), at most. tokens: read and written a day, at most.
    money: what it may cost; by default nobody counts.
    """

    endpoint: Endpoint
    model: Line
    key: ApiKey = field(default="", repr=False)
    newsletters: tuple[Slug, ...] = ()
    timeout: Patience = timedelta(seconds=20)
    total: Patience = timedelta(seconds=60)
    calls: Annotated[Whole, Field(ge=1, le=1_000_000)] = 200
    tokens: Annotated[Whole, Field(ge=1, le=1_000_000_000)] = 500_000
    money: MoneySettings | None = None


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SiteFile(_Shape):
    title: Line = Field(description="What the whole site is called.", examples=["The Morning Post"])
    url: SiteUrl = Field(
        description="Public base of every link. Change it before you mail anyone.",
        examples=["https://news.example.org"],
    )
    postal_address: Text = Field("", description="At the foot of every letter; many countries ask for it.")


class ScheduleFile(_Shape):
    at: Clock = Field(description="When the issue is made, by the clock of `zone`.", examples=['"07:00"'])
    zone: Zone = Field(description="IANA time zone.", examples=["Europe/Berlin"])
    days: Days = Field(
        (0, 1, 2, 3, 4, 5, 6), description="On which days.", json_schema_extra={"default": "daily"}
    )


class StoriesFile(_Shape):
    limit: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=12, description="Stories in an issue, at most."
    )
    per_feed: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=4, description="Stories led by the same feed, at most."
    )
    sections: dict[Line, Annotated[Whole, Field(ge=1, le=100)]] = Field(
        default={}, description="Stories under a heading, at most, for headings with a limit of their own."
    )
    include: Filters = Field(default=(), description=INCLUDE)
    exclude: Filters = Field(default=(), description=EXCLUDE)


class FeedFile(_Shape):
    url: FeedUrl = Field(
        description="Address of the feed, or the path of a local file, relative to this file.",
        examples=["https://example.org/feed.xml"],
    )
    title: Line | None = Field(None, description="What readers see; by default the feed's own title.")
    section: Line | None = Field(None, description="The heading its stories stand under.")
    weight: Weight = Field(1.0, description="How much its stories count when they are ranked.")
    first: Window = Field(
        timedelta(days=2),
        json_schema_extra={"default": "2d"},
        description="How old an entry may be when the feed is new to us; of a dateless feed, the newest ten.",
    )
    settle: Duration = Field(
        timedelta(0),
        json_schema_extra={"default": 0},
        description="How long an entry rests, unedited, before it is used.",
    )
    full_text: bool = Field(False, description=FULL_TEXT)
    include: Filters = Field((), description=INCLUDE)
    exclude: Filters = Field((), description=EXCLUDE)


def _read_list(value: Any, info: ValidationInfo) -> OpmlRef:
    found: Any = info.context
    context: Context = found
    if not isinstance(value, str) or not value.strip():
        raise wrong("should be the path of an OPML file")
    if context.read_opml is None:
        raise wrong("OPML files cannot be read here")
    path = context.folder / value
    try:
        with path.open("rb") as file:
            follows = tuple(context.read_opml(file.read(LARGEST_LIST)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise wrong("the list {name} cannot be read: {reason}", name=value, reason=reason) from error
    except DigestError as error:
        raise wrong("the list {name} cannot be read: {reason}", name=value, reason=str(error)) from error
    for follow in follows:
        try:
            feed_url(follow.url, context.folder)
        except PydanticCustomError as error:
            raise wrong(
                "the list {name} has a bad address, {url}: {reason}",
                name=value,
                url=follow.url,
                reason=error.message(),
            ) from error
    return OpmlRef(path=path, follows=follows)


List = Annotated[OpmlRef, PlainValidator(_read_list), WithJsonSchema({"type": "string", "x-type": "path"})]


class OpmlFile(_Shape):
    opml: List = Field(description="Path of an OPML file: many feeds in a file of their own, by sections.")
    full_text: bool = Field(False, description=FULL_TEXT)


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return ADDRESS
    if isinstance(value, dict):
        return OPML if "opml" in value else FEED
    return None


FeedItem = Annotated[
    Annotated[FeedUrl, Tag(ADDRESS)] | Annotated[FeedFile, Tag(FEED)] | Annotated[OpmlFile, Tag(OPML)],
    Discriminator(_form),
]


class NewsletterFile(_Shape):
    title: Line = Field(description="What it is called.", examples=["World in brief"])
    description: Text = Field("", description="One or two sentences for its page and its feeds.")
    language: Language = Field("en", description="Language of the letters (BCP 47).")
    schedule: ScheduleFile = Field(
        description="When it comes out.", examples=['{at: "07:00", zone: Europe/Berlin, days: daily}']
    )
    feeds: tuple[FeedItem, ...] = Field(
        description="What it reads: addresses, paths, or mappings with more to say.",
        examples=["[https://example.org/feed.xml]"],
    )
    stories: StoriesFile = Field(
        StoriesFile(),
        json_schema_extra={"default": {"limit": 12, "per_feed": 4}},
        description="What goes into an issue, and how much.",
    )
    recipients: tuple[Address, ...] = Field(
        (), description="Addresses that the admin vouches for; everybody else subscribes on the web."
    )
    channels: tuple[str, ...] = Field(CHANNELS, min_length=1, description="The ways out.")
    subject: Line = Field("{{ lead.title }}", description="Template of the subject (Jinja).")
    catch_up: Literal["coalesce", "skip", "each"] = Field(
        "coalesce",
        description="Slots missed while we were down: one issue for all, none for those long past, each one.",
    )
    unknown: Literal["retry", "hold"] = Field(
        "retry",
        description="A letter that may or may not have arrived: send the same again, or wait for the admin.",
    )
    stale: Staleness = Field(
        timedelta(hours=24),
        description="How long a letter that servers put off is tried: from an hour to five days.",
    )
    interests: tuple[InterestItem, ...] = Field(
        (), description="Words that make a story count for more; what stands near each other may be a phrase."
    )


class ConfigFile(_Shape):
    site: SiteFile = Field(
        description="The public face.", examples=["{title: The Morning Post, url: https://news.example.org}"]
    )
    database: Database = Field(
        "sqlite:///subscribers.db",
        validate_default=True,
        description="`sqlite:///FILE`, relative to this file, or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    secret: Secret | None = Field(
        None,
        description="Signs links and seals the record of consent; 32 characters or more. By default"
        " `!file secret.key`, made when missing. Of a list the first one signs and all are still good.",
    )
    newsletters: dict[Slug, NewsletterFile] = Field(
        description="The newsletters, by name; the name is part of their URLs.",
        examples=["{world: {title: …, schedule: …, feeds: …}}"],
    )
    templates: Folder | None = Field(None, description="Folder of templates of your own; they win over ours.")


_SECTIONS: dict[str, tuple[type, str]] = {
    "web": (WebSettings, "The pages."),
    "fetch": (FetchSettings, "How feeds are asked."),
    "keep": (Keep, "How long things are kept."),
    "report": (
        ReportSettings,
        "A letter a week to those who run this: feeds that need a look, what went out.",
    ),
}
_OPTIONAL: dict[str, tuple[type, str]] = {
    "llm": (LlmSettings, "A language model that writes the summaries; without this section, none does."),
}
OURS = (*ConfigFile.model_fields, *_SECTIONS, *_OPTIONAL)  # the top-level names that are no channel's


def with_channels(channels: Mapping[str, type]) -> type[ConfigFile]:
    """The whole shape: ours, and a section for each channel."""
    added: dict[str, Any] = {
        name: (section(settings), Field({}, validate_default=True, description=about))
        for name, (settings, about) in _SECTIONS.items()
    }
    for name, (settings, about) in _OPTIONAL.items():
        added[name] = (section(settings) | None, Field(None, description=about))
    for name, settings in channels.items():
        kind = section(settings, name)
        added[name] = (kind | None, Field(None, description=f"The channel `{name}`."))
    return create_model("Config", __base__=ConfigFile, **added)
