"""What stands in the way of an article is never told as if it were one, from a feed or from a page."""

from __future__ import annotations

import pytest
from test_page import read, whole
from window_samples import unread

from digest.summarizer import read_entry
from digest.summarizer.walls import is_wall, said_without_walls

WALLS = {
    "paywall en": "<p>Subscribe to continue reading. Already a subscriber? Log in.</p>",
    "paywall de": "<p>Dieser Artikel ist exklusiv für Abonnenten. Jetzt weiterlesen, monatlich kündbar.</p>",
    "paywall fr": "<p>Cet article est réservé aux abonnés. Il vous reste 80 % de cet article à lire.</p>",
    "paywall es": "<p>Contenido exclusivo para suscriptores. Suscríbete para seguir leyendo.</p>",
    "paywall it": "<p>Contenuto riservato agli abbonati. Abbonati per continuare a leggere o accedi.</p>",
    "paywall pt": "<p>Conteúdo exclusivo para assinantes. Assine para continuar lendo.</p>",
    "paywall pl": "<p>Treść dostępna tylko dla prenumeratorów. Zaloguj się, aby czytać dalej.</p>",
    "paywall nl": "<p>Dit artikel is alleen voor abonnees. Log in om verder te lezen of word abonnee.</p>",
    "paywall ar": "<p>هذا المحتوى متاح للمشتركين فقط. سجل الدخول للمتابعة.</p>",
    "metered": "<p>You have reached your limit of free articles. Subscribe now for unlimited access.</p>",
    "consent": "<h1>We value your privacy</h1><p>We and our 842 partners store and/or access information on a"
    " device, such as cookies, and process personal data. With your consent we may use precise"
    " geolocation data."
    "</p><p>Accept all</p><p>Manage options</p>",
    "program": "<p>You need to enable JavaScript to run this app.</p>",
    "program 2": "<p>Please enable JavaScript to view this page. JavaScript is disabled in your browser.</p>",
    "check": "<h1>Checking your browser before accessing a.example</h1><p>This process is automatic."
    " Your browser"
    " will redirect to your requested content shortly.</p><p>Ray ID: 7a7a</p>",
    "check 2": "<h1>Just a moment...</h1><p>Verify you are human by completing the action below.</p>",
    "captcha": "<p>Please complete the CAPTCHA to prove that you are not a robot, for we have detected"
    " unusual"
    " traffic from your network.</p>",
    "404": "<h1>404 - Page not found</h1><p>Sorry, the page you are looking for does not exist or has"
    " been moved."
    " Try searching or go back to the home page.</p>",
    "404 de": "<h1>Seite nicht gefunden</h1><p>Die gewünschte Seite existiert leider nicht oder wurde"
    " verschoben."
    " Bitte nutzen Sie die Suche.</p>",
    "403": "<h1>Access denied</h1><p>You do not have permission to access this page on this server.</p>",
    "login": "<h1>Sign in</h1><p>Sign in to your account to continue. Forgot your password? Create an"
    " account.</p>",
    "redirect": "<p>Redirecting you to the article. If you are not redirected automatically, click here.</p>",
    "region": "<p>Our European visitors are important to us. This site is currently unavailable to"
    " visitors from"
    " the European Economic Area while we work to ensure your data is protected.</p>",
    "advert": "<p>It looks like you are using an ad blocker. Please disable it to continue reading our"
    " articles.</p>",
}
SAID = "The city closed the old bridge on Friday after engineers found a crack in it."


@pytest.mark.parametrize("kind", WALLS)
def test_a_wall_in_a_feed_gives_way_to_what_else_it_says(kind: str) -> None:
    found = read_entry(unread(title="Harbour Bridge shut", html=WALLS[kind], description=SAID))
    assert (found.source, found.text) == ("description", SAID)
    assert [sentence.text for sentence in found.summary] == [SAID]
    alone = read_entry(unread(title="Harbour Bridge shut", html=WALLS[kind], description=WALLS[kind]))
    assert (alone.source, alone.text, alone.summary) == ("title", "Harbour Bridge shut", ())


@pytest.mark.parametrize("kind", WALLS)
def test_a_wall_on_a_page_gives_way_to_the_feed(kind: str) -> None:
    page = whole(f"<article><h1>Harbour Bridge shut</h1>{WALLS[kind] * 3}</article>")
    found = read(page, description=SAID)
    assert (found.source, found.text) == ("description", SAID)


@pytest.mark.parametrize(
    "text",
    [
        "Eleven schools will sign up to the trial in January, and one to the other.",
        "The paper asks its readers for their consent, and most of them refuse.",
        "The company changed its privacy settings on Monday after a fine of two million crowns.",
        "Makers of ad blockers won in court on Friday, and publishers lost.",
        "Die Bahn wird ab Mai monatlich kündbar, sagte der Minister am Freitag in Köln.",
        "Access denied: how the courts shut out the press, and what the law says about it.",
    ],
)
def test_an_article_may_speak_of_walls(text: str) -> None:
    assert said_without_walls(text) == text
    assert not is_wall(text)
