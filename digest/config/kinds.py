"""The kinds of values in the file: what each accepts, what it becomes, and what is said of anything else.

Each is an annotated type for pydantic. `wrong` makes the error; what it names is left out again when the
value came from the environment or a file.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from digest.addresses import AddressError, normalize
from digest.config.problems import closest, suggestion
from digest.model import RENAMED_LANGUAGES, WEEKDAYS
from digest.typeset import safe_url

OURS = "digest"  # the type of the errors that carry their own sentence
TEMPLATE = "its template"  # where they carry what it was made from

# Words that begin a URL of ours, or stand in one behind a slug; and two kept free for rooms to come.
RESERVED = frozenset(
    {"confirm", "dev", "feed", "feeds", "healthz", "i", "inbox", "metrics", "opml", "preferences", "readyz"}
    | {"subscribe", "unsubscribe", "admin", "static", "assets", "search"}
)

_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,7}) ?([smhdw])", re.ASCII)
_ARCHIVE = re.compile(r"([0-9]{1,7}) ?(d|w|y|issues?)", re.ASCII)
_OLDEST_DAYS = 36_500
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3653)
_LONGEST_WAIT = timedelta(minutes=10)
_LANGUAGE = re.compile(
    r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?((?:-[A-Za-z0-9]{2,8})*)", re.ASCII
)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_WITH_PORT = re.compile(r"([^:\[\]]+|\[[^\]]+\]):([0-9]{1,6})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_NOT_A_ZONE = ("posix/", "right/", "localtime", "posixrules", "Factory")


def wrong(template: str, **named: str) -> PydanticCustomError:
    """An error of ours. `named` is what its sentence repeats of the file."""
    return PydanticCustomError(OURS, template, {**named, TEMPLATE: template})


# ---------------------------------------------------------------- text and numbers


def line(text: str) -> str:
    text = text.strip()
    if not text:
        raise wrong("must not be empty")
    if _CONTROL.search(text):
        raise wrong("must be one line, without control characters")
    if len(text) > 500:
        raise wrong("is longer than 500 characters")
    return text


def _text(text: str) -> str:
    return text.strip()


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise wrong("should be a number")
    return value


Line = Annotated[str, AfterValidator(line)]
Text = Annotated[str, AfterValidator(_text)]
Whole = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Weight = Annotated[Number, Field(gt=0, le=100)]


# ---------------------------------------------------------------- names


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        better = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
        hint = f"; did you mean {better}?" if _SLUG.fullmatch(better) and better not in RESERVED else ""
        raise wrong("a newsletter's name is 1 to 64 of a-z, 0-9 and -{hint}", hint=hint)
    if text in RESERVED:
        raise wrong("{name} is a word in our own URLs; choose another name", name=text)
    return text


def _language(text: str) -> str:
    found = _LANGUAGE.fullmatch(text.replace("_", "-"))
    if not found:
        raise wrong("{text} is not a language tag, such as en, de or pt-BR (BCP 47)", text=text)
    if "_" in text:
        raise wrong("language tags have hyphens; did you mean {better}?", better=text.replace("_", "-"))
    language, script, region, rest = found.groups()
    language = RENAMED_LANGUAGES.get(language.lower(), language.lower())
    parts = (language, script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part) + rest.lower()


def _address(text: str) -> str:
    try:
        return normalize(text)
    except AddressError as error:
        raise wrong("{text} is not an email address: {reason}", text=text, reason=str(error)) from error


Slug = Annotated[
    str, AfterValidator(_slug), WithJsonSchema({"type": "string", "pattern": f"^{_SLUG.pattern}$"})
]
Language = Annotated[
    str, AfterValidator(_language), WithJsonSchema({"type": "string", "x-type": "language tag"})
]
Address = Annotated[
    str, AfterValidator(_address), WithJsonSchema({"type": "string", "x-type": "email address"})
]


# ---------------------------------------------------------------- time


def _clock(value: Any) -> time:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise wrong('should be a time of day, such as "07:00"')
    return time(int(found[1]), int(found[2]))


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfo("Europe") is an IsADirectoryError
        pass
    else:
        if not name.startswith(_NOT_A_ZONE):
            return name
    known = [zone for zone in available_timezones() if not zone.startswith(_NOT_A_ZONE)]
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known, reverse=True) if "/" in zone}
    city = name.rpartition("/")[2].replace(" ", "_").casefold()
    meant = cities.get(city) or closest(name, known, cutoff=0.8)
    meant = meant or cities.get(closest(city, cities, cutoff=0.75) or "")
    hint = f"did you mean {meant}?" if meant else "write one such as Europe/Berlin (IANA time zones)"
    raise wrong("there is no time zone {name}; {hint}", name=name, hint=hint)


def _days(value: Any) -> tuple[int, ...]:
    if value == "daily":
        return tuple(range(7))
    if value == "weekdays":
        return tuple(range(5))
    if not isinstance(value, list) or not value:
        raise wrong("should be daily, weekdays, or a list of days such as [mon, thu]")
    for day in value:
        if day not in WEEKDAYS:
            hint = suggestion(str(day)[:3], WEEKDAYS, otherwise="days are")
            raise wrong("{day} is not a day; {hint}", day=str(day), hint=hint)
    return tuple(sorted({WEEKDAYS.index(day) for day in value}))


def duration(value: Any) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if value in (0, "0") and not isinstance(value, bool):
        return timedelta(0)
    if not found:
        raise wrong("should be a duration, such as 2d, 12h or 30m")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > _LONGEST:
        raise wrong("is longer than ten years")
    return length


def _patience(value: Any) -> timedelta:
    length = duration(value)
    if not timedelta(0) < length <= _LONGEST_WAIT:
        raise wrong("should be more than 0 and 10m at most; a letter waits for it")
    return length


def _window(value: Any) -> timedelta | None:
    if value == "all":
        return None
    try:
        return duration(value)
    except PydanticCustomError as error:
        raise wrong("should be a duration, such as 2d or 12h, or the word all") from error


def _kept(value: Any) -> timedelta | int | None:
    """How much of an archive: an age, a number of issues, or None for all of it."""
    if value == "all":
        return None
    found = _ARCHIVE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise wrong("should be an age such as 2y or 90d, a number such as 500 issues, or the word all")
    number, unit = int(found[1]), found[2]
    if not number:
        raise wrong("keeps nothing; give an age, a number of issues, or the word all")
    if unit.startswith("issue"):
        return number
    days = number * {"d": 1, "w": 7, "y": 365}[unit]
    if days > _OLDEST_DAYS:
        raise wrong("is longer than a hundred years; the word all keeps everything")
    return timedelta(days=days)


def _staleness(value: Any) -> timedelta:
    length = duration(value)
    if not timedelta(hours=1) <= length <= timedelta(days=5):
        raise wrong("should be from an hour to five days, such as 24h or 2d; news is old by then")
    return length


def spell(length: timedelta) -> str:
    """`2d`, `90m`: a duration as it is written in the file."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


_DURATION_SCHEMA = {"type": "string", "pattern": r"^[0-9]{1,7} ?[smhdw]$", "x-type": "duration"}

Clock = Annotated[
    time,
    PlainValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK.pattern})$", "x-type": "time of day"}),
]
Zone = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "x-type": "time zone"})]
Days = Annotated[
    tuple[int, ...],
    PlainValidator(_days),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["daily", "weekdays"]},
                {"type": "array", "minItems": 1, "items": {"enum": list(WEEKDAYS)}},
            ],
            "x-type": "`daily`, `weekdays` or list of days",
        }
    ),
]
Duration = Annotated[
    timedelta,
    PlainValidator(duration),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": 0}], "x-type": "duration"}),
]
Patience = Annotated[
    timedelta,
    PlainValidator(_patience),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": 0}], "x-type": "duration"}),
]
Kept = Annotated[
    timedelta | int | None,
    PlainValidator(_kept),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,7} ?([dwy]|issues?)$"},
                {"const": "all"},
            ],
            "x-type": "duration such as `2y`, number such as `500 issues`, or `all`",
        }
    ),
]
Staleness = Annotated[
    timedelta,
    PlainValidator(_staleness),
    WithJsonSchema(_DURATION_SCHEMA),
]
Window = Annotated[
    timedelta | None,
    PlainValidator(_window),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": "all"}], "x-type": "duration or `all`"}),
]


# ---------------------------------------------------------------- places


def _web_address(text: str) -> SplitResult:
    if _CONTROL.search(text) or " " in text:
        raise wrong("an address has no spaces and no control characters")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError as error:
        raise wrong("{text} is not an address: {reason}", text=text, reason=str(error)) from error
    if parts.scheme not in ("http", "https"):
        raise wrong("should begin with https:// or http://, not with {scheme}:", scheme=parts.scheme)
    if not parts.hostname:
        raise wrong("{text} names no host", text=text)
    if parts.username is not None or parts.password is not None:
        raise wrong("must not hold a user name or password; it is shown to everybody")
    return parts


def _site_url(text: str) -> str:
    text = text.strip()
    if "://" not in text:
        raise wrong("should begin with https:// or http://; did you mean https://{text}?", text=text)
    parts = _web_address(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise wrong("is the base of every link, and has no ? and no #")
    url = safe_url(text.rstrip("/"))
    if not url:
        raise wrong("{text} names a host that browsers do not go to", text=text)
    return url


def feed_url(text: str, folder: Path) -> str:
    """A feed's address, or the path of a local file, as it is written: it is the feed's key."""
    text = text.strip()
    if not text:
        raise wrong("must not be empty")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _feed_path(text, folder)
    if scheme[1].lower() == "feed":
        rest = text[scheme.end() :].removeprefix("//")
        better = rest if rest.startswith(("http://", "https://")) else f"https://{rest}"
        raise wrong("feed: addresses are http ones; did you mean {better}?", better=better)
    if scheme[1].lower() == "file":
        raise wrong("a local file is written as its path, without file:")
    _web_address(text)
    return text


def _feed_path(text: str, folder: Path) -> str:
    if _CONTROL.search(text):
        raise wrong("a path has no control characters")
    host, slash, _ = text.partition("/")
    like_a_host = _HOST.fullmatch(host) and "." in host and (slash or host.startswith("www."))
    if like_a_host and not (folder / text).exists():
        raise wrong("there is no local file {text}; did you mean https://{text}?", text=text)
    return text


def _home(info: ValidationInfo) -> Path:
    """The config file's folder, to which paths are relative."""
    context: Any = info.context
    folder: Path = context.folder
    return folder


def _feed(text: str, info: ValidationInfo) -> str:
    return feed_url(text, _home(info))


def _folder(text: str, info: ValidationInfo) -> Path:
    path = _home(info) / text
    if not path.is_dir():
        raise wrong("there is no folder {text} in {folder}", text=text, folder=str(_home(info)))
    return path


def _path(text: Any, info: ValidationInfo) -> Path:
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise wrong("should be the path of a file")
    return _home(info) / text


def _database(text: str, info: ValidationInfo) -> str:
    text = text.strip()
    scheme, found, rest = text.partition("://")
    if found and scheme in ("postgresql", "postgresql+psycopg"):
        return text
    if not found or scheme != "sqlite":
        if scheme == "postgres":
            raise wrong("should begin with postgresql://, not postgres://")
        raise wrong("should be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    name = rest.removeprefix("/")
    if not rest.startswith("/") or not name or name.startswith(":memory:") or "?" in name:
        raise wrong("should be sqlite:/// and the name of a file, such as sqlite:///subscribers.db")
    return f"sqlite:///{_home(info) / name}"


def _host(text: str) -> str:
    text = text.strip()
    name, port = text, ""
    if found := _WITH_PORT.fullmatch(text):
        name, port = found[1], str(int(found[2]))
        if not 0 < int(port) < 65_536:
            raise wrong("{port} is not a port; ports are 1 to 65535", port=port)
    name = name.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if not _HOST.fullmatch(name):
            raise wrong("should be the name or address of a host, without scheme or path") from None
        return f"{name.lower()}:{port}" if port else name.lower()
    if not port:
        return str(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _proxy(text: str) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or not parts.hostname or not port or _CONTROL.search(text) or " " in text:
        raise wrong("should be the address of an HTTP proxy, such as http://proxy.example.org:3128")
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise wrong("names a host and a port, and no path")
    return text.rstrip("/")


def _endpoint(text: str) -> str:
    text = _site_url(text)
    if text.endswith("/chat/completions"):
        raise wrong("is written without /chat/completions, which we add")
    return text


def _hub(text: str) -> str:
    text = text.strip()
    if "://" not in text:
        raise wrong("should begin with https:// or http://; did you mean https://{text}?", text=text)
    if _web_address(text).fragment or not text.isascii() or any(sign in text for sign in '<>"\\'):
        raise wrong("is an address without # and without signs that addresses do not have")
    return text


def _api_key(text: str) -> str:
    text = text.strip()
    if not (text.isascii() and text.isprintable()) or " " in text or len(text) > 1000:
        raise wrong("is no key: keys are letters, digits and signs, without spaces")
    return text


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError as error:
        raise wrong("should be an IP address or network: {reason}", reason=str(error)) from error


def secret_text(text: object) -> str:
    if not isinstance(text, str):
        raise wrong("should be text")
    text = text.strip()
    if not text:
        raise wrong("is empty; nothing is ever signed with an empty key. Remove it to have one made")
    if len(text) < 32:
        raise wrong("is shorter than 32 characters; make one with: openssl rand -hex 32")
    return text


SiteUrl = Annotated[str, AfterValidator(_site_url), WithJsonSchema({"type": "string", "x-type": "URL"})]
FeedUrl = Annotated[str, AfterValidator(_feed), WithJsonSchema({"type": "string", "x-type": "URL or path"})]
Folder = Annotated[Path, PlainValidator(_folder), WithJsonSchema({"type": "string", "x-type": "folder"})]
File = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string", "x-type": "path"})]
Database = Annotated[
    str, AfterValidator(_database), WithJsonSchema({"type": "string", "x-type": "database URL"})
]
Host = Annotated[str, AfterValidator(_host), WithJsonSchema({"type": "string", "x-type": "host"})]
Proxy = Annotated[str, AfterValidator(_proxy), WithJsonSchema({"type": "string", "x-type": "URL"})]
Endpoint = Annotated[str, AfterValidator(_endpoint), WithJsonSchema({"type": "string", "x-type": "URL"})]
Hub = Annotated[str, AfterValidator(_hub), WithJsonSchema({"type": "string", "x-type": "URL"})]
ApiKey = Annotated[str, AfterValidator(_api_key), WithJsonSchema({"type": "string", "x-type": "text"})]
Network = Annotated[str, AfterValidator(_network), WithJsonSchema({"type": "string", "x-type": "IP network"})]
Secret = Annotated[
    str,
    AfterValidator(secret_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}],
            "x-type": "text or list of texts",
        }
    ),
]
