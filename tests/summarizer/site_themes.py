"""Pages and feed contents as small news sites make them.

`sites/pages` and `sites/feeds` hold the furniture of one theme or plugin each, `sites/words` the article and
the phrases of one language.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

Words = dict[str, list[str]]
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar")
_HERE = Path(__file__).parent / "sites"
PAGES = tuple(sorted(each.stem for each in (_HERE / "pages").glob("*.html")))
FEEDS = tuple(sorted(each.stem for each in (_HERE / "feeds").glob("*.html")))


@cache
def words(language: str) -> Words:
    """The sections of one file of words; `title`, `site` and their like are sections of one line."""
    found: Words = {}
    section: list[str] | None = None
    for line in (_HERE / "words" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            section = found.setdefault(line[3:], [])
        elif section is None:
            name, _, rest = line.partition(": ")
            found[name] = [rest]
        else:
            section.append(line)
    return found


@cache
def page(theme: str, language: str) -> str:
    said = words(language)
    direction = ' dir="rtl"' if language == "ar" else ""
    title = said["title"][0]
    return (
        f'<!DOCTYPE html><html lang="{language}"{direction}><head><meta charset="utf-8">'
        f'<title>{title} – {said["site"][0]}</title><meta property="og:title" content="{title}"></head>'
        f"<body>{_filled(f'pages/{theme}.html', said)}</body></html>"
    )


@cache
def feed(theme: str, language: str) -> str:
    return _filled(f"feeds/{theme}.html", words(language))


def _filled(name: str, said: Words) -> str:
    template = _environment().get_template(name)
    return template.render(w=said, p=_paragraphs, links=_links, listed=_listed, inputs=_inputs)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_HERE), autoescape=False)  # noqa: S701  (our own words)


def _paragraphs(lines: Iterable[str], name: str = "") -> str:
    mark = f' class="{name}"' if name else ""
    return "".join(f"<p{mark}>{line}</p>\n" for line in lines)


def _links(lines: Iterable[str], tag: str = "li") -> str:
    return "".join(f'<{tag}><a href="/go/{n}">{line}</a></{tag}>\n' for n, line in enumerate(lines))


def _listed(lines: Iterable[str], name: str = "") -> str:
    return f'<ul class="{name}">{_links(lines)}</ul>'


def _inputs(said: Words) -> str:
    fields = "".join(f"<p><label>{each}</label><input></p>" for each in said["form"][:-1])
    return f'<form action="/c" method="post">{fields}<input type="submit" value="{said["form"][-1]}"></form>'
