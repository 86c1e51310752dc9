"""Programs that people run on hosts of their own, and where these keep their feeds. Pure.

Known by the shape of an address: the paths of these programs are their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from digest.feeds.web_address import WebAddress

_PAGES_OF_FORGES = """
about apps collections contact customer-stories dashboard enterprise events explore features issues join login
marketplace new notifications organizations pricing projects pulls search security settings signup site
sponsors stars topics trending users
"""
NOT_USERS = frozenset(_PAGES_OF_FORGES.split())


def by_shape(at: WebAddress) -> Iterator[str]:
    """Programs that people run on hosts of their own and whose paths are their own, too."""
    if at.host.startswith("gitlab."):
        yield from gitlab(at)
    elif at.host.startswith(("gitea.", "forgejo.")):
        yield from forgejo(at)
    else:
        yield from _fediverse(at)
        yield from _forums(at)


def _fediverse(at: WebAddress) -> Iterator[str]:
    path = at.path[1:] if at.path[:1] in (("web",), ("deck",)) else at.path
    match path:
        case (handle, *_) if handle.startswith("@") and len(handle) > 1:
            name, _, home = handle[1:].partition("@")
            yield at.place(f"/@{name}.rss", host=home)  # Mastodon, Misskey
            yield at.place(f"/@{name}/feed.rss", host=home)  # GoToSocial
        case ("users", name, *_) if not name.isdecimal():
            yield at.place(f"/@{name}.rss")
            yield at.place(f"/users/{name}.rss")
            yield at.place(f"/users/{name}/feed.atom")  # Pleroma
        case ("tags", tag):
            yield at.place(f"/tags/{tag}.rss")
        case ("a" | "accounts", name, *_):
            yield at.place(f"/feeds/videos.xml?accountName={name}")  # PeerTube
        case ("video-channels", name, *_):
            yield at.place(f"/feeds/videos.xml?videoChannelName={name}")


def _forums(at: WebAddress) -> Iterator[str]:
    match at.path:
        case ("c", *_, number) if number.isdecimal() and len(at.path) > 2:
            yield at.place(f"/{'/'.join(at.path)}.rss")  # Discourse
        case ("c", name, *_):
            community, _, home = name.partition("@")
            yield at.place(f"/feeds/c/{community}.xml", host=home)  # Lemmy
            yield at.place(f"/feeds/videos.xml?videoChannelName={name}")  # PeerTube
        case ("u", name, *_):
            yield at.place(f"/feeds/u/{name}.xml")  # Lemmy
            yield at.place(f"/u/{name}/activity.rss")  # Discourse
        case ("t", slug, number, *_) if number.isdecimal():
            yield at.place(f"/t/{slug}/{number}.rss")
        case ("blogs", name, *_):
            yield at.place(f"/blogs/{name}.atom")  # Shopify


def gitlab(at: WebAddress) -> Iterator[str]:
    """A project lies in any depth of groups; what comes after `-` is a part of its pages."""
    end = at.path.index("-") if "-" in at.path else len(at.path)
    project, rest = at.path[:end], at.path[end + 1 :]
    if not project or project[0] in NOT_USERS:
        return
    base = "/" + "/".join(project)
    if len(project) > 1:
        match rest:
            case ("tree" | "commits" | "blob", branch, *_):
                yield at.place(f"{base}/-/commits/{branch}?format=atom")
        yield at.place(f"{base}/-/releases.atom")
        yield at.place(f"{base}/-/tags?format=atom")
    yield at.place(f"{base}.atom")


def forgejo(at: WebAddress) -> Iterator[str]:
    match at.path:
        case (name, *_) if name in NOT_USERS:
            return
        case (name,):
            yield at.place(f"/{name}.rss")
        case (owner, name, *rest):
            base = f"/{owner}/{name.removesuffix('.git')}"
            match rest:
                case ("src" | "commits", "branch", branch, *_):
                    yield at.place(f"{base}/rss/branch/{branch}")
            yield at.place(f"{base}/releases.rss")
            yield at.place(f"{base}/tags.rss")
            yield at.place(f"{base}.rss")
