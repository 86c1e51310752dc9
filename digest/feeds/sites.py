"""What a site's address tells about its feeds: where well-known sites and programs keep them. Pure.

Nothing is asked here, so some of these places may be empty: `discover` looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

from digest.feeds.programs import NOT_USERS, by_shape, forgejo, gitlab
from digest.feeds.web_address import WebAddress


def known_places(url: str) -> list[str]:
    """Where the feeds of this address lie, by what is known of its host or of the shape of its path."""
    at = WebAddress.of(url)
    if at is None:
        return []
    for rule, domains in _SITES:
        if any(at.host == domain or at.host.endswith(f".{domain}") for domain in domains):
            return list(dict.fromkeys(rule(at)))
    return list(dict.fromkeys(by_shape(at)))


def further_pages(url: str) -> list[str]:
    """Documents that name the feed where the page itself does not."""
    at = WebAddress.of(url)
    number = re.search(r"/id(\d+)", url)
    if at is None or number is None or not at.host.endswith(("podcasts.apple.com", "itunes.apple.com")):
        return []
    return [at.place(f"/lookup?id={number[1]}&entity=podcast", host="itunes.apple.com")]


_Rule = Callable[[WebAddress], Iterator[str]]


# ---------------------------------------------------------------- video and sound


def _youtube(at: WebAddress) -> Iterator[str]:
    """Channels by handle or name are known only to their page; `hints` reads it."""
    host = "www.youtube.com" if at.host.startswith(("m.", "music.")) else at.host
    feed = "/feeds/videos.xml"
    if playlist := at.query.get("list"):
        yield at.place(f"{feed}?playlist_id={quote(playlist)}", host=host)
    match at.path:
        case ("channel", channel, *_):
            yield at.place(f"{feed}?channel_id={channel}", host=host)
        case ("user", name, *_):
            yield at.place(f"{feed}?user={name}", host=host)


def _vimeo(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("channels" | "groups" as kind, name, *_):
            yield at.place(f"/{kind}/{name}/videos/rss")
        case (name, *_) if not name.isdecimal():
            yield at.place(f"/{name}/videos/rss")


# ---------------------------------------------------------------- forges


def _github(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("orgs" | "sponsors", name, *_):
            yield at.place(f"/{name}.atom")
        case (name, *_) if name in NOT_USERS:
            return
        case (name,):
            yield at.place(f"/{name}.atom")
        case (owner, name, *rest) if at.host != "gist.github.com":
            base = f"/{owner}/{name.removesuffix('.git')}"
            found = [f"{base}/releases.atom", f"{base}/commits.atom", f"{base}/tags.atom"]
            match rest:
                case ("tree" | "commits" | "blob", *within) if within:
                    # A branch may have slashes in its name, or a folder behind it: both have a feed.
                    found[:0] = [
                        f"{base}/commits/{'/'.join(within)}.atom",
                        f"{base}/commits/{within[0]}.atom",
                    ]
                case ("tags" | "commits" | "discussions" | "wiki" as part, *_):
                    found.insert(0, f"{base}/{part}.atom")
            yield from map(at.place, found)
        case (owner, *_):
            yield at.place(f"/{owner}.atom")


def _sourcehut(at: WebAddress) -> Iterator[str]:
    match at.path:
        case (owner, name, *_) if owner.startswith("~"):
            yield at.place(f"/{owner}/{name}/log/rss.xml")
            yield at.place(f"/{owner}/{name}/refs/rss.xml")


# ---------------------------------------------------------------- talk


def _reddit(at: WebAddress) -> Iterator[str]:
    host = at.host if at.host.startswith(("www.", "old.")) else "www.reddit.com"
    wishes: dict[str, str] = {
        name: at.query[name] for name in ("t", "sort", "q", "restrict_sr") if name in at.query
    }
    query = f"?{urlencode(wishes)}" if wishes else ""
    path = ("user", *at.path[1:]) if at.path[:1] == ("u",) else at.path
    if path and path[-1] == ".rss":
        return
    yield at.place("/".join(("", *path, ".rss")) + query, host=host)
    match path:
        case ("r", name, _, *_):
            yield at.place(f"/r/{name}/.rss", host=host)


def _hacker_news(at: WebAddress) -> Iterator[str]:
    yield at.place("/rss")


def _stack_exchange(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("questions", "tagged", tags, *_):
            several = re.split(r"\+|%20", tags)
            if len(several) == 1 or "" in several:  # c++ is one
                yield at.place(f"/feeds/tag/{tags.replace('+', '%2B')}")
            else:
                yield at.place(f"/feeds/tag?tagnames={'+'.join(several)}&sort=newest")
        case ("questions", number, *_) if number.isdecimal():
            yield at.place(f"/feeds/question/{number}")
        case ("users", number, *_) if number.isdecimal():
            yield at.place(f"/feeds/user/{number}")
    if at.host.removeprefix("www.") != "stackexchange.com":
        yield at.place("/feeds")


def _bluesky(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("profile", name, *_):
            yield at.place(f"/profile/{name}/rss")


# ---------------------------------------------------------------- blogs


def _substack(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("pub", name, *_) if at.sub("substack.com") == "open":
            yield at.place("/feed", host=f"{name}.substack.com")
        case (handle, *_) if not at.sub("substack.com") and handle.startswith("@"):
            yield at.place("/feed", host=f"{handle[1:]}.substack.com")
        case _ if at.sub("substack.com"):
            yield at.place("/feed")


def _medium(at: WebAddress) -> Iterator[str]:
    match at.path:
        case _ if at.sub("medium.com"):
            yield at.place("/feed")
        case ("tag", tag, *_):
            yield at.place(f"/feed/tag/{tag}")
        case (name, "tagged", tag, *_):
            yield at.place(f"/feed/{name}/tagged/{tag}")
            yield at.place(f"/feed/{name}")
        case (name, *_) if name not in ("p", "m", "me", "search", "about"):
            yield at.place(f"/feed/{name}")


def _tumblr(at: WebAddress) -> Iterator[str]:
    name, path = at.sub("tumblr.com"), at.path
    if not name:
        path = tuple(part for part in path if part not in ("blog", "view"))
        if not path or path[0] in ("tagged", "explore", "dashboard", "search"):
            return
        name, path = path[0], path[1:]
    match path:
        case ("tagged", tag, *_):
            yield at.place(f"/tagged/{tag}/rss", host=f"{name}.tumblr.com")
    yield at.place("/rss", host=f"{name}.tumblr.com")


def _blogger(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("search", "label", label, *_):
            yield at.place(f"/feeds/posts/default/-/{label}")
    yield at.place("/feeds/posts/default")


def _wordpress(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("category" | "tag" | "author", *_):
            yield at.place("/".join(("", *at.path, "feed", "")))
    yield at.place("/feed/")


def _dev_to(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ():
            yield at.place("/feed")
        case ("t", tag, *_):
            yield at.place(f"/feed/tag/{tag}")
        case (name, *_):
            yield at.place(f"/feed/{name}")


# ---------------------------------------------------------------- learning and news


def _arxiv(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("list" | "archive", subject, *_):
            yield at.place(f"/rss/{subject}", host="rss.arxiv.org")
            yield at.place(f"/atom/{subject}", host="rss.arxiv.org")


def _wikimedia(at: WebAddress) -> Iterator[str]:
    title = "/".join(at.path[1:]) if at.path[:1] == ("wiki",) else quote(at.query.get("title", ""))
    if title and title not in ("Main_Page", "Special:RecentChanges"):
        yield at.place(f"/w/index.php?title={title}&action=history&feed=atom")
        return
    if at.host.endswith("wikipedia.org"):
        yield at.place("/w/api.php?action=featuredfeed&feed=featured&feedformat=atom")
    yield at.place("/w/index.php?title=Special:RecentChanges&feed=atom")


def _google_news(at: WebAddress) -> Iterator[str]:
    query = f"?{urlencode(at.query)}" if at.query else ""
    path = at.path[1:] if at.path[:1] == ("rss",) else at.path
    yield at.place("/".join(("", "rss", *path)) + query)


def _pypi(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("project", name, *_):
            yield at.place(f"/rss/project/{name}/releases.xml")


_STACK_EXCHANGE = (
    "stackoverflow.com", "stackexchange.com", "superuser.com", "serverfault.com", "askubuntu.com",
    "mathoverflow.net",
)  # fmt: skip
_BLOGSPOT = tuple(
    f"blogspot.{end}" for end in ("com", "de", "fr", "co.uk", "com.br", "com.es", "in", "it", "jp")
)
_SITES: tuple[tuple[_Rule, tuple[str, ...]], ...] = (
    (_youtube, ("youtube.com", "youtube-nocookie.com", "youtu.be")),
    (_vimeo, ("vimeo.com",)),
    (_github, ("github.com",)),
    (gitlab, ("gitlab.com", "salsa.debian.org", "invent.kde.org", "framagit.org")),
    (forgejo, ("codeberg.org", "gitea.com")),
    (_sourcehut, ("git.sr.ht",)),
    (_reddit, ("reddit.com",)),
    (_hacker_news, ("news.ycombinator.com",)),
    (_stack_exchange, _STACK_EXCHANGE),
    (_bluesky, ("bsky.app",)),
    (_substack, ("substack.com",)),
    (_medium, ("medium.com",)),
    (_tumblr, ("tumblr.com",)),
    (_blogger, _BLOGSPOT),
    (_wordpress, ("wordpress.com",)),
    (_dev_to, ("dev.to",)),
    (_arxiv, ("arxiv.org",)),
    (_wikimedia, ("wikipedia.org", "wikimedia.org", "wiktionary.org", "wikinews.org", "mediawiki.org")),
    (_google_news, ("news.google.com",)),
    (_pypi, ("pypi.org",)),
)
