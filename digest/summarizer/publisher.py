"""Who publishes a feed: those who tell a story are counted by houses, not by feeds."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Under these names everybody registers for themselves: `gazette.co.uk`, not `co.uk`.
_SHARED_ENDINGS = _names("ac co com edu go gob gov gouv ne net nom or org")
# Hosts that many publishers share, each with a name in front of theirs …
_SHARED_HOSTS = _names(
    """
    beehiiv.com blogspot.com bearblog.dev buttondown.email github.io gitlab.io ghost.io hashnode.dev
    libsyn.com livejournal.com medium.com micro.blog neocities.org netlify.app over-blog.com
    pages.dev podbean.com posthaven.com substack.com transistor.fm tumblr.com typepad.com vercel.app
    weebly.com wixsite.com wordpress.com write.as
    """
)
# … or each with a path of theirs: there a feed stands for itself.
_BY_PATH = _names(
    """
    acast.com anchor.fm apple.com bsky.app facebook.com feedburner.com feedproxy.google.com
    feeds.feedburner.com fetchrss.com flipboard.com github.com gitlab.com google.com
    kill-the-newsletter.com lobste.rs mastodon.social medium.com megaphone.fm news.google.com
    nitter.net openrss.org politepol.com rss.app rss.com rsshub.app simplecast.com soundcloud.com
    spotify.com spreaker.com telegram.me t.me twitter.com x.com vimeo.com youtube.com reddit.com
    """
)
_ADDRESS = re.compile(r"[\d.]+|\[.*\]|[^.]+")  # of a machine; nobody knows whose


def publisher_of(url: str) -> str:
    """A name that all feeds of one publisher share: the domain that was registered. What is no web address,
    such as a local file, stands for itself, and so does a feed on a host that is many publishers'."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return url
    if not host or _ADDRESS.fullmatch(host):
        return url
    labels = host.split(".")
    size = 3 if len(labels[-1]) == 2 and labels[-2] in _SHARED_ENDINGS else 2
    domain = ".".join(labels[-size:])
    if host in _BY_PATH or (domain in _BY_PATH and domain not in _SHARED_HOSTS):
        return url
    if domain in _SHARED_HOSTS:
        own = ".".join(labels[-size - 1 :])
        return url if own in (domain, f"www.{domain}") else own
    return domain
