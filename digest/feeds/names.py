"""What the elements of a feed are called, whatever prefix a document gives their namespaces.

A name is written as feedparser writes it: `title` for all that RSS and Atom call so, `content_encoded` and
`dc_creator` for what a known extension adds, `prefix_local` for all others. Pure.
"""

from __future__ import annotations

import re
from html import unescape

# What feeds really hold; namespaces are compared without regard to case.
_FAMILIES = {
    "": """
        http://www.w3.org/2005/Atom http://purl.org/atom/ns# http://purl.org/rss/1.0/
        http://my.netscape.com/rdf/simple/0.9/ http://backend.userland.com/rss
        http://blogs.law.harvard.edu/tech/rss http://purl.org/rss/1.0/modules/rss091#
        http://example.com/newformat# http://example.com/necho http://purl.org/echo/
        uri/of/echo/namespace# http://purl.org/pie/""",
    "admin": "http://webns.net/mvcb/",
    "ag": "http://purl.org/rss/1.0/modules/aggregation/",
    "annotate": "http://purl.org/rss/1.0/modules/annotate/",
    "audio": "http://media.tangent.org/rss/1.0/",
    "blogChannel": "http://backend.userland.com/blogChannelModule",
    "cc": "http://creativecommons.org/ns#license http://web.resource.org/cc/",
    "co": "http://purl.org/rss/1.0/modules/company",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "cp": "http://my.theinfo.org/changed/1.0/rss/",
    "creativeCommons": """
        http://backend.userland.com/creativeCommonsRssModule
        http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html""",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "email": "http://purl.org/rss/1.0/modules/email/",
    "ev": "http://purl.org/rss/1.0/modules/event/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "fm": "http://freshmeat.net/rss/fm/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "georss": "http://www.georss.org/georss",
    "gml": "http://www.opengis.net/gml",
    "icbm": "http://postneo.com/icbm/",
    "image": "http://purl.org/rss/1.0/modules/image/",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd http://example.com/DTDs/PodCast-1.0.dtd",
    "l": "http://purl.org/rss/1.0/modules/link/",
    "media": "http://search.yahoo.com/mrss http://search.yahoo.com/mrss/",
    "pingback": "http://madskills.com/public/xml/rss/module/pingback/",
    "prism": "http://prismstandard.org/namespaces/1.2/basic/",
    "psc": "http://podlove.org/simple-chapters",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "ref": "http://purl.org/rss/1.0/modules/reference/",
    "reqv": "http://purl.org/rss/1.0/modules/richequiv/",
    "search": "http://purl.org/rss/1.0/modules/search/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "ss": "http://purl.org/rss/1.0/modules/servicestatus/",
    "str": "http://hacks.benhammersley.com/rss/streaming/",
    "sub": "http://purl.org/rss/1.0/modules/subscription/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "szf": "http://schemas.pocketsoap.com/rss/myDescModule/",
    "taxo": "http://purl.org/rss/1.0/modules/taxonomy/",
    "thr": "http://purl.org/rss/1.0/modules/threading/",
    "ti": "http://purl.org/rss/1.0/modules/textinput/",
    "trackback": "http://madskills.com/public/xml/rss/module/trackback/",
    "wfw": "http://wellformedweb.org/commentAPI/",
    "wiki": "http://purl.org/rss/1.0/modules/wiki/",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "xlink": "http://www.w3.org/1999/xlink",
    "xml": "http://www.w3.org/XML/1998/namespace",
}
KNOWN = {uri.lower(): prefix for prefix, uris in _FAMILIES.items() for uri in uris.split()}
PREFIXES = frozenset(prefix.lower() for prefix in _FAMILIES if prefix)

_DECLARATION = re.compile(rb"""xmlns:([\w.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Unusual(Exception):
    """Something that is not ordinary in feeds: for the patient reader, not for the quick one."""


class Names:
    """The names of one document. Raises Unusual where a prefix or a namespace means two things in it."""

    def __init__(self, document: bytes) -> None:
        self._prefixes: dict[str, str] = {}
        bound: dict[str, str] = {}
        for prefix, first, second in set(_DECLARATION.findall(document)):
            self._bind(_text(prefix).lower(), unescape(_text(first or second)), bound)

    def _bind(self, prefix: str, uri: str, bound: dict[str, str]) -> None:
        known = _known(uri)
        meant = uri if known is None else known.lower()
        if bound.setdefault(prefix, meant) != meant:
            raise Unusual("a prefix with two meanings")
        if known is None:
            if self._prefixes.setdefault(uri, prefix) != prefix:
                raise Unusual("a namespace with two prefixes")
        elif prefix in PREFIXES and prefix != meant:
            raise Unusual("a prefix that usually means something else")

    def of(self, tag: str) -> str:
        """The name of an element: `{http://search.yahoo.com/mrss/}Content` is `media_content`."""
        uri, local = _parted(tag)
        local = local.replace(":", "_")  # a prefix that stands for nothing is part of the name
        prefix = self._prefix(uri)
        return f"{prefix}_{local}".lower() if prefix else local.lower()

    def of_attribute(self, key: str) -> tuple[str, str]:
        """(prefix, name) of an attribute: of unknown namespaces, only the local name counts."""
        uri, local = _parted(key)
        known = _known(uri)
        return (self._prefix(uri) if known is None else known), local

    def _prefix(self, uri: str) -> str:
        if not uri:
            return ""
        known = _known(uri)
        return self._prefixes.get(uri, "") if known is None else known


def _known(uri: str) -> str | None:
    uri = uri.lower()
    return "" if "backend.userland.com/rss" in uri else KNOWN.get(uri)


def _parted(tag: str) -> tuple[str, str]:
    if not tag.startswith("{"):
        return "", tag
    uri, _, local = tag[1:].partition("}")
    return uri, local


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
