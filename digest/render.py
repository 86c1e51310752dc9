"""Templates filled in: letters, notices and pages, in the reader's language.

    values of the model + a template (the admin's, else the shipped one) → text

Pure: it reads template files and CLDR tables, and never the network, the database or the clock. Whatever a
feed said comes out as text: markup is escaped, template marks are not looked at, and an address that is not
http, https or mailto is no link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from operator import index
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from digest.languages import (
    clock_time,
    day_name,
    direction,
    leaning,
    listed,
    local_date,
    local_time,
    own_name,
    when,
    zone_menu,
    zone_place,
)
from digest.links import Links
from digest.model import DigestError, Issue, Newsletter, Schedule, Site, Source, Story
from digest.translations import SOURCE, CatalogueError, Catalogues, filled
from digest.typeset import clamp, clean, host, one_line, safe_url, wrap
from digest.wording import COUNTS, DAYS, REGIONS, RHYTHMS, WORDS

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


class Words:
    """Our sentences for templates: those that stand in them (`{% trans %}`, `_("…")`) are said in the
    language that the context calls `language`; those of `wording` in the one that is named."""

    def __init__(self, catalogues: Catalogues) -> None:
        self.catalogues = catalogues

    def word(self, language: str, key: str, **names: object) -> str:
        """The words for `key` in a language. KeyError: there are none."""
        if key in COUNTS:
            raise KeyError(f"{key} is counted: use the filter plural")
        return filled(self.catalogues.gettext(language, WORDS[key]), names)

    def plural(self, number: int, key: str, language: str) -> str:
        """`3|plural("stories", "en")` is “3 stories”: the form that the language has for this number."""
        if key in WORDS:
            raise KeyError(f"{key} is not counted: use word()")
        one, many = COUNTS[key]
        number = index(number)  # a date where a number should stand is a mistake in a template
        return filled(self.catalogues.ngettext(language, one, many, number), {"num": number})

    def rhythm(self, schedule: Schedule, language: str) -> str:
        """How often and when, to be read after “comes to you”: “every day at 07:00 (Berlin)”."""
        said = self.catalogues
        kind = schedule.cadence if schedule.cadence in RHYTHMS else "days"
        names = {
            "days": self.days(schedule, language),
            "time": clock_time(schedule.at, language),
            "place": zone_place(schedule.zone, language),
        }
        return filled(said.gettext(language, RHYTHMS[kind]), names)

    def days(self, schedule: Schedule, language: str) -> str:
        """The days by name: “Mondays and Thursdays”."""
        return listed([self.catalogues.gettext(language, DAYS[day]) for day in schedule.days], language)

    def region(self, name: str, language: str) -> str:
        """The first part of a zone's name: “Indian Ocean” is `Indian`."""
        return self.catalogues.gettext(language, REGIONS.get(name, name))

    def teach(self, environment: Environment) -> None:
        """Make them known to the templates of an environment."""
        said = self.catalogues

        @pass_context
        def gettext(context: Context, sentence: str) -> str:
            return said.gettext(_language(context), sentence)

        @pass_context
        def ngettext(context: Context, one: str, many: str, number: int) -> str:
            return said.ngettext(_language(context), one, many, number)

        environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(word=self.word)
        environment.filters.update(days=self.days, plural=self.plural, region=self.region, rhythm=self.rhythm)


def _language(context: Context) -> str:
    """A macro that was imported without context knows no language; it speaks English."""
    return str(context.get("language", SOURCE))


class Renderer:
    """The templates: the admin's folder first, then the shipped ones."""

    def __init__(self, folder: Path | None = None) -> None:
        folders = [*([folder] if folder else []), shipped()]
        self.words = Words(_catalogues(folder))
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
            autoescape=_is_markup,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        self.words.teach(self._environment)
        self._environment.filters.update(
            clamp=clamp,
            clock_time=clock_time,
            date=local_date,
            day_name=day_name,
            direction=direction,
            host=host,
            leaning=leaning,
            one_line=one_line,
            own_name=own_name,
            safe_url=safe_url,
            sections=sections,
            source_name=source_name,
            time=local_time,
            told=told,
            when=when,
            wrap=wrap,
            zone_menu=zone_menu,
            zone_place=zone_place,
        )
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def page(self, name: str, /, **context: Any) -> str:
        """A page of the web site: `templates/pages/{name}`."""
        return self._fill(f"pages/{name}", context)

    def make_ready(self) -> None:
        """Compile every page's template now: the first visitor would wait for it. One that is broken says so
        when it is asked for."""
        for name in self._environment.list_templates(filter_func=lambda name: name.startswith("pages/")):
            with suppress(TemplateError, UnicodeDecodeError):
                self._environment.get_template(name)

    def source(self, name: str) -> str:
        """The text of a template as it lies in its folder: `pages/feed_issue.html`."""
        with _errors_named(name):
            loader = self._environment.loader
            return "" if loader is None else loader.get_source(self._environment, name)[0]

    def letter(
        self,
        issue: Issue,
        newsletter: Newsletter,
        site: Site,
        links: Links,
        *,
        reader: ReaderLinks,
        language: str = "",
    ) -> LetterText:
        """The issue as a letter, in HTML and in plain text. language: of our own words in it; empty: the
        issue's."""
        context = {
            "issue": issue,
            "newsletter": newsletter,
            "site": site,
            "reader": reader,
            "language": language or issue.language,
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
        `preferences` and `unsubscribe`, the reader's own links, `tongue`, the newsletter's language, and
        `lines`, the headlines of its latest issue; test: `url`, the latest issue, may be empty;
        report: `title`, `lines` (strings), `url`, which may be empty, and `groups` of feeds that need a look:
        `title`, `feeds` (name, url, page, where, words, advice), and how many `more` there are.
        """
        context = {"newsletter": "", "url": "", "title": "", "lines": (), "groups": (), **context}
        names = {"newsletter": context["newsletter"], "site": site.title}
        template = kind if kind in ("report", "welcome") else "notice"
        if kind == "report":
            subject, title = f"{site.title}: {context['title']}", context["title"]
            lead, action, note = "", self.words.word(language, "report_action"), ""
        elif f"{kind}_subject" not in WORDS:
            raise RenderError(f"there is no notice of the kind {kind!r}")
        else:
            subject, title, lead, action, note = (
                self.words.word(language, f"{kind}_{part}", **names) if f"{kind}_{part}" in WORDS else ""
                for part in ("subject", "title", "lead", "action", "note")
            )
        context |= {
            "site": site,
            "language": language,
            "kind": kind,
            "subject": clamp(subject, SUBJECT_LIMIT),
            "title": title,
            "lead": lead,
            "action": action,
            "note": note,
            "why": self.words.word(language, f"{kind}_why", **names),
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


def _catalogues(folder: Path | None) -> Catalogues:
    found = Catalogues([folder / "locales"] if folder else [])
    try:
        found.read()
    except CatalogueError as error:
        raise RenderError(str(error)) from error
    return found


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
