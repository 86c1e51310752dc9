"""What an address tells about the feeds of its site."""

from __future__ import annotations

import pytest

from digest.feeds.programs import forgejo, gitlab
from digest.feeds.sites import further_pages, known_places
from digest.feeds.web_address import WebAddress, addresses
from digest.model import FeedError

CHANNEL = "UCabcdefghijklmnopqrstuv"

PLACES = {
    f"https://www.youtube.com/channel/{CHANNEL}/videos": [f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"],
    f"http://m.youtube.com:81/channel/{CHANNEL}": [f"http://www.youtube.com:81/feeds/videos.xml?channel_id={CHANNEL}"],
    "https://www.youtube.com/playlist?list=PLabc": ["https://www.youtube.com/feeds/videos.xml?playlist_id=PLabc"],
    "https://www.youtube.com/user/someone": ["https://www.youtube.com/feeds/videos.xml?user=someone"],
    "https://www.youtube.com/@someone": [],
    "https://vimeo.com/someone": ["https://vimeo.com/someone/videos/rss"],
    "https://vimeo.com/channels/staff": ["https://vimeo.com/channels/staff/videos/rss"],
    "https://vimeo.com/123456": [],
    "https://github.com/someone": ["https://github.com/someone.atom"],
    "https://github.com/orgs/some/repositories": ["https://github.com/some.atom"],
    "https://github.com/topics/rss": [],
    "https://GitHub.com/a/b.git": [
        "https://github.com/a/b/releases.atom", "https://github.com/a/b/commits.atom", "https://github.com/a/b/tags.atom",
    ],
    "https://github.com/a/b/tree/main": [
        "https://github.com/a/b/commits/main.atom", "https://github.com/a/b/releases.atom",
        "https://github.com/a/b/commits.atom", "https://github.com/a/b/tags.atom",
    ],
    "https://github.com/a/b/tree/feature/x": [
        "https://github.com/a/b/commits/feature/x.atom", "https://github.com/a/b/commits/feature.atom",
        "https://github.com/a/b/releases.atom", "https://github.com/a/b/commits.atom", "https://github.com/a/b/tags.atom",
    ],
    "https://github.com/a/b/tags": [
        "https://github.com/a/b/tags.atom", "https://github.com/a/b/releases.atom", "https://github.com/a/b/commits.atom",
    ],
    "https://gist.github.com/someone/abc": ["https://gist.github.com/someone.atom"],
    "https://gitlab.com/group/sub/project": [
        "https://gitlab.com/group/sub/project/-/releases.atom", "https://gitlab.com/group/sub/project/-/tags?format=atom",
        "https://gitlab.com/group/sub/project.atom",
    ],
    "https://gitlab.gnome.org/GNOME/gtk/-/tree/main": [
        "https://gitlab.gnome.org/GNOME/gtk/-/commits/main?format=atom", "https://gitlab.gnome.org/GNOME/gtk/-/releases.atom",
        "https://gitlab.gnome.org/GNOME/gtk/-/tags?format=atom", "https://gitlab.gnome.org/GNOME/gtk.atom",
    ],
    "https://codeberg.org/someone": ["https://codeberg.org/someone.rss"],
    "https://codeberg.org/a/b/src/branch/main/x.py": [
        "https://codeberg.org/a/b/rss/branch/main", "https://codeberg.org/a/b/releases.rss",
        "https://codeberg.org/a/b/tags.rss", "https://codeberg.org/a/b.rss",
    ],
    "https://git.sr.ht/~someone/thing": [
        "https://git.sr.ht/~someone/thing/log/rss.xml", "https://git.sr.ht/~someone/thing/refs/rss.xml",
    ],
    "https://www.reddit.com/": ["https://www.reddit.com/.rss"],
    "https://reddit.com/r/python": ["https://www.reddit.com/r/python/.rss"],
    "https://old.reddit.com/r/python/top/?t=week&x=1": [
        "https://old.reddit.com/r/python/top/.rss?t=week", "https://old.reddit.com/r/python/.rss",
    ],
    "https://www.reddit.com/u/someone": ["https://www.reddit.com/user/someone/.rss"],
    "https://news.ycombinator.com/": ["https://news.ycombinator.com/rss"],
    "https://stackoverflow.com/questions/tagged/c%2b%2b": ["https://stackoverflow.com/feeds/tag/c%2b%2b", "https://stackoverflow.com/feeds"],
    "https://stackoverflow.com/questions/tagged/python+rss": [
        "https://stackoverflow.com/feeds/tag?tagnames=python+rss&sort=newest", "https://stackoverflow.com/feeds",
    ],
    "https://cooking.stackexchange.com/questions/12/how": [
        "https://cooking.stackexchange.com/feeds/question/12", "https://cooking.stackexchange.com/feeds",
    ],
    "https://bsky.app/profile/ann.example": ["https://bsky.app/profile/ann.example/rss"],
    "https://ann.substack.com/p/a-post?utm=1": ["https://ann.substack.com/feed"],
    "https://open.substack.com/pub/ann/p/a-post": ["https://ann.substack.com/feed"],
    "https://substack.com/@ann": ["https://ann.substack.com/feed"],
    "https://medium.com/@ann/a-story-123": ["https://medium.com/feed/@ann"],
    "https://medium.com/a-paper": ["https://medium.com/feed/a-paper"],
    "https://medium.com/a-paper/tagged/ai": ["https://medium.com/feed/a-paper/tagged/ai", "https://medium.com/feed/a-paper"],
    "https://medium.com/tag/python": ["https://medium.com/feed/tag/python"],
    "https://ann.medium.com/": ["https://ann.medium.com/feed"],
    "https://ann.tumblr.com/tagged/cats": ["https://ann.tumblr.com/tagged/cats/rss", "https://ann.tumblr.com/rss"],
    "https://www.tumblr.com/ann/123": ["https://ann.tumblr.com/rss"],
    "https://ann.blogspot.com/2026/01/x.html": ["https://ann.blogspot.com/feeds/posts/default"],
    "https://ann.blogspot.co.uk/search/label/Cats": [
        "https://ann.blogspot.co.uk/feeds/posts/default/-/Cats", "https://ann.blogspot.co.uk/feeds/posts/default",
    ],
    "https://ann.wordpress.com/category/cats/": ["https://ann.wordpress.com/category/cats/feed/", "https://ann.wordpress.com/feed/"],
    "https://dev.to/ann/a-post": ["https://dev.to/feed/ann"],
    "https://dev.to/t/python": ["https://dev.to/feed/tag/python"],
    "https://arxiv.org/list/cs.AI/recent": ["https://rss.arxiv.org/rss/cs.AI", "https://rss.arxiv.org/atom/cs.AI"],
    "https://de.wikipedia.org/wiki/Köln": ["https://de.wikipedia.org/w/index.php?title=K%C3%B6ln&action=history&feed=atom"],
    "https://en.wikipedia.org/wiki/Main_Page": [
        "https://en.wikipedia.org/w/api.php?action=featuredfeed&feed=featured&feedformat=atom",
        "https://en.wikipedia.org/w/index.php?title=Special:RecentChanges&feed=atom",
    ],
    "https://news.google.com/search?q=tides&hl=en": ["https://news.google.com/rss/search?q=tides&hl=en"],
    "https://pypi.org/project/reader/": ["https://pypi.org/rss/project/reader/releases.xml"],
    "https://social.example/@ann": ["https://social.example/@ann.rss", "https://social.example/@ann/feed.rss"],
    "https://social.example/@ann/1234": ["https://social.example/@ann.rss", "https://social.example/@ann/feed.rss"],
    "https://social.example/@ann@far.example": ["https://far.example/@ann.rss", "https://far.example/@ann/feed.rss"],
    "https://social.example/web/@ann": ["https://social.example/@ann.rss", "https://social.example/@ann/feed.rss"],
    "https://social.example/users/ann": [
        "https://social.example/@ann.rss", "https://social.example/users/ann.rss", "https://social.example/users/ann/feed.atom",
    ],
    "https://social.example/tags/cats": ["https://social.example/tags/cats.rss"],
    "https://lemmy.example/c/cats": [
        "https://lemmy.example/feeds/c/cats.xml", "https://lemmy.example/feeds/videos.xml?videoChannelName=cats",
    ],
    "https://lemmy.example/u/ann": ["https://lemmy.example/feeds/u/ann.xml", "https://lemmy.example/u/ann/activity.rss"],
    "https://tube.example/a/ann/videos": ["https://tube.example/feeds/videos.xml?accountName=ann"],
    "https://forum.example/c/help/5": ["https://forum.example/c/help/5.rss"],
    "https://forum.example/t/a-talk/77/3": ["https://forum.example/t/a-talk/77.rss"],
    "https://shop.example/blogs/news": ["https://shop.example/blogs/news.atom"],
    "https://blog.example/": [],
    "https://notgithub.com/ann/b": [],
    "ftp://github.com/a/b": [],
    "https://[broken": [],
    "": [],
}  # fmt: skip


@pytest.mark.parametrize("url", PLACES, ids=lambda url: url or "nothing")
def test_known_sites_keep_their_feeds_in_known_places(url: str) -> None:
    assert known_places(url) == PLACES[url]


def test_a_podcast_in_a_directory_is_looked_up_there() -> None:
    found = further_pages("https://podcasts.apple.com/us/podcast/a-show/id123456?i=7")
    assert found == ["https://itunes.apple.com/lookup?id=123456&entity=podcast"]
    assert further_pages("https://example.org/id123456") == []


def test_a_forge_on_a_host_of_its_own_is_like_its_great_sisters() -> None:
    at = WebAddress.of("https://code.example/a/b")
    assert at is not None
    assert next(iter(gitlab(at))) == "https://code.example/a/b/-/releases.atom"
    assert next(iter(forgejo(at))) == "https://code.example/a/b/releases.rss"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("example.org", ("https://example.org", "http://example.org")),
        (" EXAMPLE.org/Blog ", ("https://EXAMPLE.org/Blog", "http://EXAMPLE.org/Blog")),
        ("example.org:8080/x", ("https://example.org:8080/x", "http://example.org:8080/x")),
        ("//example.org/", ("https://example.org/", "http://example.org/")),
        ("HTTPS://Example.org/", ("https://Example.org/",)),
        ("http:/example.org", ("http://example.org",)),
        ("https//example.org", ("https://example.org",)),
        ("<https://example.org/a>,", ("https://example.org/a",)),
        ("(see https://example.org/a)", ("https://example.org/a",)),
        ("[A blog](https://example.org/a)", ("https://example.org/a",)),
        ("[https://example.org/a]", ("https://example.org/a",)),
        ("(https://example.org/a).", ("https://example.org/a",)),
        ("“https://example.org/a_(b)”", ("https://example.org/a_(b)",)),
        ("https://example.org/ - A blog", ("https://example.org/",)),
        ("feed://example.org/x", ("http://example.org/x",)),
        ("feed:https://example.org/x", ("https://example.org/x",)),
        ("bücher.example", ("https://bücher.example", "http://bücher.example")),
        ("@ann@social.example", ("https://social.example/@ann",)),
        ("[2001:db8::1]:80/x", ("https://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x")),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(typed: str, meant: tuple[str, ...]) -> None:
    assert addresses(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "  ", ".", "javascript:alert(1)", "mailto:ann@example.org", "ftp://example.org/", "file:///etc/passwd",
              "https://", "https://[broken", "https://example.org:99999/", "/etc/passwd:x"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_in_words(typed: str) -> None:
    with pytest.raises(FeedError, match="not a web address"):
        addresses(typed)
