"""Templates filled in: letters, notices and pages, in the reader's language.

    values of the model + a template (the admin's, else the shipped one) → text

Pure: it reads template files and CLDR tables, and never the network, the database or the clock. Whatever a
feed said comes out as text: markup is escaped, template marks are not looked at, and an address that is not
http, https or mailto is no link.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import css_inline
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from digest.links import Links
from digest.model import DigestError, Issue, Newsletter, Site, Source, Story
from digest.typeset import clamp, clean, host, one_line, safe_url, wrap
from digest.wording import phrase

SUBJECT_LIMIT = 70


class RenderError(DigestError):
    """A template could not be filled; the text names its file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLinks:
    """The two addresses in a letter that are the reader's own; an empty one is left out of the letter."""

    unsubscribe: str = ""
    preferences: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterText:
    """An issue as a letter says it."""

    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeText:
    """A letter that is no issue."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The stories under one heading; `title` is empty for those that have none."""

    title: str
    stories: tuple[Story, ...]


@dataclass(slots=True)
class References:
    """The numbered links of a text letter: calling it with an address gives its mark, `[3]`."""

    urls: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> str:
        """The mark of this address, the same one each time; empty if it is no link."""
        url = safe_url(url)
        if not url:
            return ""
        if url not in self.urls:
            self.urls.append(url)
        return f"[{self.urls.index(url) + 1}]"


class Renderer:
    """The templates: the admin's folder first, then the shipped ones."""

    def __init__(self, folder: Path | None = None) -> None:
        folders = [*([folder] if folder else []), shipped()]
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
            autoescape=_is_markup,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(
            clamp=clamp,
            date=local_date,
            direction=direction,
            host=host,
            leaning=leaning,
            one_line=one_line,
            plural=plural,
            safe_url=safe_url,
            sections=sections,
            source_name=source_name,
            time=local_time,
            told=told,
            when=when,
            wrap=wrap,
        )
        self._environment.globals.update(word=word)
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def page(self, name: str, /, **context: Any) -> str:
        """A page of the web site: `templates/pages/{name}`."""
        return self._fill(f"pages/{name}", context)

    def letter(
        self, issue: Issue, newsletter: Newsletter, site: Site, links: Links, *, reader: ReaderLinks
    ) -> LetterText:
        """The issue as a letter, in HTML and in plain text."""
        context = {
            "issue": issue,
            "newsletter": newsletter,
            "site": site,
            "reader": reader,
            "language": issue.language,
            "web_url": links.issue(issue.path),
            "home_url": links.newsletter(newsletter.slug),
            "feed_url": links.feed(newsletter.slug, "atom"),
            "issue_url": links.issue,
        }
        html = self._inlined(self._fill("letters/issue.html", context))
        text = self._fill("letters/issue.txt", {**context, "references": References()})
        return LetterText(html=html, text=_tidy(text))

    def notice(self, kind: str, language: str, /, *, site: Site, **context: Any) -> NoticeText:
        """A letter that is no issue. What it needs beside the site:

        confirm, goodbye, manage, address, moved: `newsletter` (its title) and `url`; welcome: these,
        `preferences` and `unsubscribe`, the reader's own links, and `lines`, the headlines of the latest
        issue; test: `url`, the latest issue, may be empty;
        report: `title`, `lines` (strings), `url`, which may be empty, and `groups` of feeds that need a look:
        `title`, `feeds` (name, url, page, where, words, advice), and how many `more` there are.
        """
        context = {"newsletter": "", "url": "", "title": "", "lines": (), "groups": (), **context}
        names = {"newsletter": context["newsletter"], "site": site.title}
        template = kind if kind in ("report", "welcome") else "notice"
        if kind == "report":
            subject, title = f"{site.title}: {context['title']}", context["title"]
            lead, action, note = "", word(language, "report_action"), ""
        else:
            try:
                subject, title, lead, action, note = (
                    word(language, f"{kind}_{part}", **names)
                    for part in ("subject", "title", "lead", "action", "note")
                )
            except KeyError as error:
                raise RenderError(f"there is no notice of the kind {kind!r}") from error
        context |= {
            "site": site,
            "language": language,
            "kind": kind,
            "subject": clamp(subject, SUBJECT_LIMIT),
            "title": title,
            "lead": lead,
            "action": action,
            "note": note,
            "why": word(language, f"{kind}_why", **names),
        }
        return NoticeText(
            subject=context["subject"],
            html=self._inlined(self._fill(f"letters/{template}.html", context)),
            text=_tidy(self._fill(f"letters/{template}.txt", context)),
        )

    def subject(self, template: str, /, **context: Any) -> str:
        """The admin's subject line filled in: one line of at most 70 characters; may be empty."""
        with _errors_named("subject"):
            compiled = self._environment.from_string(template)
            return clamp(_rendered(compiled, context), SUBJECT_LIMIT)

    def _fill(self, name: str, context: Mapping[str, Any]) -> str:
        with _errors_named(name):
            return _rendered(self._environment.get_template(name), context)

    def _inlined(self, html: str) -> str:
        """Styles moved into the elements. A block marked `data-css-inline="ignore"` stays a block of its own:
        clients that stumble over a rule drop the whole block that it stands in."""
        kept = _KEPT_STYLE.findall(html)
        try:
            inlined = self._inliner.inline(html)
        except css_inline.InlineError as error:
            raise RenderError(f"the styles of a letter cannot be read: {error}") from error
        blocks = "".join(f"<style>{block}</style>\n" for block in kept)
        return inlined.replace("</head>", f"{blocks}</head>", 1)


@lru_cache
def renderer(folder: Path | None = None) -> Renderer:
    """The renderer of a folder, made once a process: workers call this by themselves."""
    return Renderer(folder)


def shipped() -> Path:
    """Where the shipped templates lie: in the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise RenderError("the shipped templates are missing: install the package again")


# ---------------------------------------------------------------- filling

_KEPT_STYLE = re.compile(r'<style data-css-inline="ignore">(.*?)</style>', re.DOTALL)
_BLANK_LINES = re.compile(r"\n{3,}")


def _is_markup(name: str | None) -> bool:
    """Markup is escaped; `.txt` and the subject line are not markup."""
    return name is not None and name.endswith((".html", ".htm", ".xml", ".svg"))


def _finalize(value: object) -> object:
    """What every `{{ … }}` goes through: no control character of a feed reaches a letter."""
    if isinstance(value, Markup):
        return Markup(clean(value))  # noqa: S704  it was markup before; only control characters go
    return clean(value) if isinstance(value, str) else value


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip("\n") + "\n"


def _rendered(template: Template, context: Mapping[str, Any]) -> str:
    return template.render(context)


@contextmanager
def _errors_named(name: str) -> Iterator[None]:
    """Whatever goes wrong in a template becomes a RenderError that says where.

    A template is code of the admin's: it may raise anything, and only its file and line help.
    """
    try:
        yield
    except Exception as error:
        raise RenderError(f"{_place(error, name)}: {_reason(error)}") from error


def _place(error: Exception, name: str) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or name}:{error.lineno}"
    place, trace = name, error.__traceback__
    while trace is not None:
        if (
            "__jinja_exception__" in trace.tb_frame.f_globals
        ):  # jinja rewrites these frames to the template's own
            file = trace.tb_frame.f_code.co_filename
            place = f"{name if file.startswith('<') else file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _reason(error: Exception) -> str:
    if isinstance(error, TemplateError) and error.message:
        return error.message
    return f"{type(error).__name__}: {error}"


# ---------------------------------------------------------------- words, dates, directions

_RTL_SCRIPTS = frozenset(("adlm", "arab", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa"))


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale:
    """The CLDR locale of a language tag, as exact as it is known; English for what nobody knows."""
    parts = language.replace("_", "-").split("-")
    for count in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:count]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def direction(language: str) -> str:
    """`rtl` or `ltr`; a script in the tag decides, then the language."""
    scripts = [part for part in language.replace("_", "-").lower().split("-")[1:] if len(part) == 4]
    if scripts and scripts[0].isalpha():
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return str(_locale(language).text_direction)


def leaning(text: str, language: str) -> str:
    """`rtl` or `ltr`: which way a name runs, by its first letter; that of the language if it has none."""
    for character in text:
        if (kind := unicodedata.bidirectional(character)) in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return direction(language)


def word(language: str, key: str, **names: object) -> str:
    """The service's own words for `key` in a language. KeyError: there are none."""
    _, found = phrase(language, key)
    if not isinstance(found, str):
        raise KeyError(f"{key} is counted: use the filter plural")
    return found.format(**names)


def plural(number: int, key: str, language: str) -> str:
    """`3|plural("stories", "en")` is “3 stories”: the form that the language has for this number."""
    spoken, forms = phrase(language, key)
    if isinstance(forms, str):
        raise KeyError(f"{key} is not counted: use word()")
    return forms.get(_locale(spoken).plural_form(number), forms["other"]).format(n=number)


_DAYS = {"day": "MMMd", "long_day": "MMMMd"}


def local_date(value: date, language: str, zone: str | None = None, style: str = "full") -> str:
    """A date; a datetime is seen in `zone` first. style: full, long, medium, short; day and long_day have no
    year."""
    value = _local(value, zone)
    locale = _locale(language)
    if style in _DAYS:
        midday = datetime.combine(value, time(12), UTC)  # babel wants a moment; a day has none
        return _plain_spaces(format_skeleton(_DAYS[style], midday, locale=locale))
    return _plain_spaces(format_date(value, style, locale=locale))


def local_time(value: datetime, language: str, zone: str) -> str:
    """The time of day as the language writes it."""
    local = value.astimezone(ZoneInfo(zone)).time()
    return _plain_spaces(format_time(local, "short", locale=_locale(language)))


def when(value: datetime, language: str, zone: str) -> str:
    """Day and time, put together as the language does and never broken: “Nov 22, 8:10 AM”."""
    glue = str(_locale(language).datetime_formats["medium"])
    day, clock = local_date(value, language, zone, "day"), local_time(value, language, zone)
    return glue.replace("'", "").replace("{1}", day).replace("{0}", clock).replace(" ", "\u00a0")


def _local(value: date, zone: str | None) -> date:
    if isinstance(value, datetime) and zone is not None:
        return value.astimezone(ZoneInfo(zone)).date()
    return value


def _plain_spaces(text: str) -> str:
    """CLDR joins “8:10” and “AM” with a narrow space that many mail fonts lack."""
    return text.replace("\u202f", "\u00a0")


# ---------------------------------------------------------------- stories


def sections(stories: Iterable[Story]) -> tuple[Section, ...]:
    """The stories by section, in the order in which each section first appears."""
    found: dict[str, list[Story]] = {}
    for story in stories:
        found.setdefault(story.section, []).append(story)
    return tuple(Section(title=title, stories=tuple(under)) for title, under in found.items())


def told(story: Story) -> str:
    """The summary in one piece. Chinese and Japanese set no space between sentences."""
    return one_line(("" if story.language[:2].lower() in ("zh", "ja") else " ").join(story.summary))


def source_name(source: Source) -> str:
    """What a source is called: its feed's title, else its host."""
    return source.feed_title or host(source.url)
