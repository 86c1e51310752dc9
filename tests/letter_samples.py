"""Issues to render and to send: mixed languages, Arabic, one story, twelve long ones, hostile words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from digest.links import Links
from digest.model import Earlier, Issue, Newsletter, Schedule, Site, Source, Story

LINKS = Links("https://news.example.org", b"a secret of the tests, long enough")
SITE = Site(
    title="The Morning Post",
    url="https://news.example.org",
    postal_address="1 Example Street, 10115 Berlin, Germany",
)
WORLD = Newsletter(slug="world", title="World in brief", schedule=Schedule(at=time(7), zone="Europe/Berlin"))
ALAM = Newsletter(
    slug="alam",
    title="العالم في سطور",
    language="ar",
    schedule=Schedule(at=time(7), zone="Africa/Cairo"),
)
MOMENT = datetime(2026, 11, 22, 6, 10, tzinfo=UTC)


def source(number: int, feed: str, url: str, language: str, authors: tuple[str, ...] = ()) -> Source:
    return Source(
        article_id=number,
        feed_url=f"https://feeds.example.net/{number}",
        feed_title=feed,
        title=f"Article {number}",
        url=url,
        language=language,
        authors=authors,
        published=MOMENT - timedelta(minutes=number),
    )


def story(
    number: int,
    title: str,
    *summary: str,
    feed: str = "City desk",
    language: str = "en",
    section: str = "",
    image: str = "",
    authors: tuple[str, ...] = ("Winifred Sato",),
    also: tuple[Source, ...] = (),
    url: str | None = None,
    update: bool = False,
) -> Story:
    address = f"https://wire.example.net/2026/11/22/{number}?a=1&b=2" if url is None else url
    return Story(
        key=f"story-{number}",
        title=title,
        url=address,
        summary=summary,
        language=language,
        section=section,
        image=image,
        words=300,
        lead=source(number, feed, address, language, authors),
        also=also,
        update=update,
    )


def issue(newsletter: Newsletter, *stories: Story, intro: str = "", subject: str | None = None) -> Issue:
    return Issue(
        newsletter=newsletter.slug,
        edition_id=1,
        date=date(2026, 11, 22),
        after=0,
        through=9,
        path=f"{newsletter.slug}/2026-11-22",
        tag=f"tag:news.example.org,2026-11-22:{newsletter.slug}/2026-11-22",
        title=f"{newsletter.title}, November 22, 2026",
        subject=stories[0].title if subject is None else subject,
        intro=intro,
        language=newsletter.language,
        stories=stories,
        words=1200,
        minutes=5,
        composed_at=MOMENT,
        updated_at=MOMENT,
    )


BELL = story(
    1,
    "Little Gwen returns: stolen church bell is left at the vestry door",
    "The smallest bell of St Brannoc’s was found on Saturday evening, tied up with a yellow ribbon.",
    "“Sorry for the delay,” said a note in capital letters.",
    section="Local",
    image="https://img.example.net/bell.jpg",
    also=(
        source(11, "Northern Wire", "https://northern.example/bell", "en"),
        source(12, "صحيفة الميناء", "https://mina.example/bell", "ar"),
    ),
)
BRIDGE = story(
    2,
    "Die alte Eisenbahnbrücke wird nach elf Jahren wieder für Radfahrer geöffnet",
    "Am Samstag rollten die ersten Räder über die sanierte Brücke im Süden der Stadt.",
    feed="Stadtblatt",
    language="de",
    section="Local",
    authors=("Jörg Müller-Lüdenscheidt",),
)
CRANES = story(
    3,
    "Harbour council votes for quieter cranes",
    "The council voted nine to two to replace the diesel cranes on the east quay.",
    section="World",
    image="https://img.example.net/cranes.jpg",
    update=True,
)
TRAINS = story(
    4,
    "عودة قطارات الليل بين المدينتين بعد انقطاع دام عشر سنوات",
    "أعلنت هيئة السكك الحديدية أن الرحلة الأولى ستنطلق مساء الجمعة المقبل من المحطة القديمة.",
    "وبيعت تذاكر الأسبوع الأول في أقل من ساعة.",
    feed="صحيفة الميناء",
    language="ar",
    section="World",
    authors=("ليلى حداد",),
    image="https://img.example.net/trains.jpg",
)
UPDATED = replace(
    BRIDGE,
    update=True,
    earlier=Earlier(path="world/2026-11-20", date=date(2026, 11, 20), title="Die Brücke"),
    writer="small-<b>model",
)

MIXED = issue(WORLD, BELL, BRIDGE, CRANES, TRAINS, intro="A stolen bell comes home, and night trains return.")
ONE = issue(WORLD, replace(CRANES, section="", image="", update=False))
ARABIC = issue(
    ALAM,
    TRAINS,
    *(
        replace(TRAINS, key=f"trains-{number}", url=f"https://mina.example/{number}", section="محليات")
        for number in range(11)
    ),
    intro="قطارات الليل تعود، والميناء يهدأ.",
)
LONG = issue(
    WORLD,
    *(
        story(
            number,
            f"Number {number}: a headline that goes on and on because nobody at the desk had the heart, "
            "the time or the authority to shorten it before the paper went to press",
            "The council voted nine to two on Friday to replace the diesel cranes with electric ones.",
            "Residents have complained about the noise for a decade, in letters that filled four cupboards.",
            "A study counted forty-one alarms in a single night, and nobody within a mile of them slept.",
            section=("Local", "World", "Science")[number // 4],
            image="https://img.example.net/long.jpg" if number % 3 == 0 else "",
            authors=("Averyveryverylong Double-Barrelled-Name", "Second Author"),
            also=tuple(
                source(other, "A rather long newspaper name", f"https://other.example/{number}/{other}", "en")
                for other in range(4)
            ),
        )
        for number in range(12)
    ),
)
HOSTILE = issue(
    replace(WORLD, title="World\r\nBcc: victim@example.org"),
    story(
        1,
        "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} </style> \x00\x1b[31m\ud800 \u202eevil",
        "<img src=x onerror=alert(1)>",
        "</td></table>",
        url="javascript:alert(1)",
        image="data:image/svg+xml,<svg onload=alert(1)>",
        feed='"><b>feed',
        authors=("Eve\r\nBcc: victim@example.org", "\x00"),
        also=(source(2, "also <i>", "vbscript:x", "en"), source(3, "", 'https://ok.example/"><b>', "en")),
        section="<h1>",
    ),
    intro="{{ issue }} <b>intro</b>",
)
MARKED = issue(WORLD, replace(CRANES, writer="", earlier=None), UPDATED)
SAMPLES = {"mixed": (MIXED, WORLD), "one": (ONE, WORLD), "arabic": (ARABIC, ALAM), "long": (LONG, WORLD)}
