"""A reader chooses when letters come, and keeps what they have read so far."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest
from store_values import DAY, HOUR, NOW, SITE, newsletter, readers, synced

from digest.model import DigestError, Offers, Rhythm, Schedule, Subscription
from digest.store import Store

pytestmark = pytest.mark.asyncio
OWN = Rhythm(cadence="daily", at=time(7), zone="Europe/Berlin")
EVENING = Rhythm(cadence="weekdays", at=time(18, 45), zone="America/Nuuk")


async def chosen(store: Store, reader: int, rhythm: Rhythm) -> Subscription:
    found = await store.subscriptions.choose(reader, rhythm, now=NOW + HOUR)
    assert found is not None
    return found


async def test_a_reader_starts_with_the_newsletters_own_rhythm(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    found = await store.subscriptions.get(reader)
    assert found is not None
    assert found.rhythm == OWN == newsletter().schedule.rhythm


async def test_choosing_founds_an_edition_and_the_next_who_chooses_the_same_shares_it(store: Store) -> None:
    await synced(store)
    one, two = await readers(store, 2)
    first = await chosen(store, one, EVENING)
    second = await chosen(store, two, EVENING)
    assert first.rhythm == second.rhythm == EVENING
    assert first.edition_id == second.edition_id
    editions = {edition.id: edition for edition in await store.newsletters.editions("world")}
    founded = editions[first.edition_id]
    assert (founded.own, founded.rhythm, founded.last_date) == (False, EVENING, None)
    assert (founded.since, founded.next_at) == (NOW + HOUR, NOW + HOUR), "it is looked at from now on"
    assert len(editions) == 3  # and manual
    back = await chosen(store, one, OWN)
    assert back.edition_id == (await store.newsletters.own_edition("world")).id


async def test_of_many_who_choose_the_same_at_once_one_founds_it(store: Store) -> None:
    await synced(store)
    several = await readers(store, 8)
    found = await asyncio.gather(*(chosen(store, reader, EVENING) for reader in several))
    assert len({one.edition_id for one in found}) == 1


async def test_a_rhythm_has_one_spelling(store: Store) -> None:
    await synced(store, newsletter(schedule=Schedule(at=time(7), zone="UTC", days=(0, 3))))
    (reader,) = await readers(store, 1)
    own = await chosen(store, reader, Rhythm(cadence="thu,mon", at=time(7), zone="UTC"))
    assert own.edition_id == (await store.newsletters.own_edition("world")).id
    office = Rhythm(cadence="fri,mon,tue,wed,thu", at=time(7), zone="UTC")
    assert (await chosen(store, reader, office)).rhythm == Rhythm(cadence="weekdays", at=time(7), zone="UTC")


@pytest.mark.parametrize(
    ("offers", "rhythm", "said"),
    [
        (Offers(), Rhythm(cadence="hourly", at=time(7), zone="UTC"), "no cadence 'hourly'"),
        (Offers(), Rhythm(cadence="", at=time(7), zone="UTC"), "no cadence ''"),
        (Offers(), Rhythm(cadence="mon,thu", at=time(7), zone="UTC"), "does not come out as you wish"),
        (Offers(), Rhythm(cadence="daily", at=time(7, 20), zone="UTC"), "quarters of an hour"),
        (Offers(), Rhythm(cadence="daily", at=time(7, 15, 30), zone="UTC"), "quarters of an hour"),
        (Offers(), Rhythm(cadence="daily", at=time(7), zone="Mars/Phobos"), "no time zone 'Mars/Phobos'"),
        (Offers(), Rhythm(cadence="daily", at=time(7), zone="Europe"), "no time zone 'Europe'"),
        (Offers(), Rhythm(cadence="daily", at=time(7), zone="../../etc/passwd"), "no time zone"),
        (Offers(), Rhythm(cadence="daily", at=time(7), zone="x\0y"), "no time zone"),
        (Offers(), Rhythm(cadence="daily", at=time(7), zone="localtime"), "no time zone"),
        (
            Offers(hour=False),
            Rhythm(cadence="daily", at=time(8), zone="Europe/Berlin"),
            "07:00 Europe/Berlin",
        ),
        (Offers(hour=False), Rhythm(cadence="daily", at=time(7), zone="UTC"), "07:00 Europe/Berlin"),
        (
            Offers(cadences=("weekly",)),
            Rhythm(cadence="weekdays", at=time(7), zone="UTC"),
            "daily or weekly",
        ),
        (Offers(cadences=()), Rhythm(cadence="mon", at=time(7), zone="UTC"), "it comes daily"),
    ],
)
async def test_what_is_not_offered_is_refused_in_words(
    store: Store, offers: Offers, rhythm: Rhythm, said: str
) -> None:
    await synced(store, newsletter(offers=offers))
    (reader,) = await readers(store, 1)
    with pytest.raises(DigestError, match=said):
        await store.subscriptions.choose(reader, rhythm, now=NOW)
    found = await store.subscriptions.get(reader)
    assert found is not None
    assert found.rhythm == OWN
    assert len(await store.newsletters.editions("world")) == 2


@pytest.mark.parametrize(
    ("offers", "rhythm"),
    [
        (Offers(hour=False), Rhythm(cadence="sat", at=time(7), zone="Europe/Berlin")),
        (Offers(cadences=()), Rhythm(cadence="daily", at=time(23, 45), zone="Pacific/Apia")),
        (Offers(cadences=(), hour=False), OWN),
    ],
)
async def test_what_is_offered_may_be_chosen(store: Store, offers: Offers, rhythm: Rhythm) -> None:
    await synced(store, newsletter(offers=offers))
    (reader,) = await readers(store, 1)
    assert (await chosen(store, reader, rhythm)).rhythm == rhythm


async def test_a_newsletters_own_hour_need_not_be_a_quarter(store: Store) -> None:
    await synced(store, newsletter(schedule=Schedule(at=time(7, 7), zone="UTC")))
    (reader,) = await readers(store, 1)
    for cadence in ("mon", "daily"):
        rhythm = Rhythm(cadence=cadence, at=time(7, 7), zone="UTC")
        assert (await chosen(store, reader, rhythm)).rhythm == rhythm


async def test_nothing_is_chosen_of_a_newsletter_that_has_ended(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    await synced(store, newsletter("other"))
    with pytest.raises(DigestError, match="not come out any more"):
        await store.subscriptions.choose(reader, EVENING, now=NOW)


async def test_who_left_or_never_confirmed_chooses_nothing(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    await store.subscriptions.leave(reader, evidence={}, now=NOW)
    asked = await store.subscriptions.request("world", "p@example.org", evidence={}, now=NOW)
    assert asked.subscription is not None
    for who in (reader, asked.subscription.id):
        assert (await chosen(store, who, EVENING)).rhythm == OWN
    assert await store.subscriptions.choose(999, EVENING, now=NOW) is None


async def test_a_paused_reader_may_choose_and_stays_paused(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    await store.subscriptions.pause(reader, date(2026, 12, 24), NOW)
    found = await chosen(store, reader, EVENING)
    assert (found.status, found.paused_until, found.rhythm) == ("paused", date(2026, 12, 24), EVENING)


async def test_a_changed_schedule_takes_along_only_those_who_had_the_own_rhythm(store: Store) -> None:
    await synced(store)
    one, two = await readers(store, 2)
    await chosen(store, two, EVENING)
    later = newsletter(schedule=Schedule(at=time(9), zone="UTC"))
    await store.newsletters.sync([later], site=SITE, now=NOW + DAY)
    found = [await store.subscriptions.get(reader) for reader in (one, two)]
    assert [each.rhythm for each in found if each] == [later.schedule.rhythm, EVENING]


async def test_a_schedule_that_some_readers_had_chosen_takes_their_edition_as_its_own(store: Store) -> None:
    await synced(store)
    one, two = await readers(store, 2)
    evening = await chosen(store, two, EVENING)
    schedule = EVENING.schedule
    await store.newsletters.sync([newsletter(schedule=schedule)], site=SITE, now=NOW + DAY)
    own = await store.newsletters.own_edition("world")
    assert own.id == evening.edition_id
    found = [await store.subscriptions.get(reader) for reader in (one, two)]
    assert {each.edition_id for each in found if each} == {own.id}


async def test_the_step_is_a_quarter_of_an_hour_over_the_whole_day(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    for quarter in (0, 1, 47, 95):
        at = (timedelta(minutes=15 * quarter) + NOW.replace(hour=0)).time()
        assert (await chosen(store, reader, Rhythm(cadence="daily", at=at, zone="UTC"))).rhythm.at == at
