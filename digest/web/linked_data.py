"""What a page is about, for search engines and readers: JSON-LD (schema.org), safe within a page; pure."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from digest.links import Links
from digest.model import Issue, Newsletter, Site
from digest.web.security import image_url, web_url

# `</script>` and `<!--` end or open a script whatever its type; the others are kept out of careless parsers.
_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def newsletter_data(newsletter: Newsletter, site: Site, links: Links) -> Markup:
    return _script(_periodical(newsletter, site, links))


def issue_data(issue: Issue, newsletter: Newsletter, site: Site, links: Links) -> Markup:
    """An article that is a list of stories, each at its place on the page."""
    url = links.issue(issue.path)
    pictures = (image_url(story.image) for story in issue.stories)
    return _script(
        {
            "@type": "NewsArticle",
            "headline": issue.title[:110],
            "description": issue.intro,
            "url": url,
            "mainEntityOfPage": url,
            "datePublished": issue.composed_at.isoformat(),
            "dateModified": max(issue.composed_at, issue.updated_at).isoformat(),
            "inLanguage": issue.language,
            "image": next((picture for picture in pictures if picture), ""),
            "publisher": _publisher(site, links),
            "author": _publisher(site, links),
            "isPartOf": _periodical(newsletter, site, links),
            "mainEntity": {
                "@type": "ItemList",
                "numberOfItems": len(issue.stories),
                "itemListElement": [
                    {
                        "@type": "ListItem",
                        "position": number,
                        "name": story.title,
                        "url": f"{url}#story-{number}",
                        "item": {"@type": "Article", "headline": story.title, "url": web_url(story.url)},
                    }
                    for number, story in enumerate(issue.stories, 1)
                ],
            },
        }
    )


def _periodical(newsletter: Newsletter, site: Site, links: Links) -> dict[str, Any]:
    return {
        "@type": "Periodical",
        "name": newsletter.title,
        "description": newsletter.description,
        "url": links.newsletter(newsletter.slug),
        "inLanguage": newsletter.language,
        "publisher": _publisher(site, links),
    }


def _publisher(site: Site, links: Links) -> dict[str, Any]:
    return {"@type": "Organization", "name": site.title, "url": links.home()}


def _script(data: dict[str, Any]) -> Markup:
    told = json.dumps({"@context": "https://schema.org", **_filled(data)}, ensure_ascii=False)
    told = told.encode("utf-8", "replace").decode().translate(_ESCAPES)
    return Markup(f'<script type="application/ld+json">{told}</script>')  # noqa: S704 - nothing in it is markup


def _filled(data: Any) -> Any:
    """Without what is empty."""
    if isinstance(data, dict):
        return {key: _filled(value) for key, value in data.items() if value not in ("", None)}
    return [_filled(each) for each in data] if isinstance(data, list) else data
