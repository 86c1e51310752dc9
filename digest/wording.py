"""What the service itself says in letters and feeds, by key, in English.

A template asks for `word(language, "unsubscribe")` or `3|plural("stories", language)`; the other languages
stand in the catalogues (`translations`), under the English sentence. What is counted has two forms here and
as many as its language needs there. What pages say stands in the pages themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from digest.translations import counted, msg

WORDS: Mapping[str, str] = {
    "update": msg("Update"),
    "told_before": msg("last told on %(date)s"),
    "written_by": msg("Summary written by a language model (%(name)s)"),
    "also_in": msg("Also in"),
    "comma": msg(", "),
    "also_today": msg("Also in this letter:"),
    "picture_from": msg("Picture: %(source)s"),
    "links": msg("Links"),
    "why_issue": msg("This letter comes to you because your address is subscribed to %(newsletter)s."),
    "unsubscribe": msg("Unsubscribe"),
    "preferences": msg("Preferences"),
    "view_in_browser": msg("View in browser"),
    "feed": msg("Feed"),
    "confirm_subject": msg("Please confirm: %(newsletter)s"),
    "confirm_title": msg("One click, and it comes to you"),
    "confirm_lead": msg("Somebody, we hope it was you, asked for %(newsletter)s to be sent to this address."),
    "confirm_action": msg("Yes, send it to me"),
    "confirm_note": msg("The link works for three days. If it was not you, do nothing: nothing will follow."),
    "confirm_why": msg("This single letter was sent because this address was entered at %(site)s."),
    "goodbye_subject": msg("You have left %(newsletter)s"),
    "goodbye_title": msg("Goodbye, and thank you for reading"),
    "goodbye_lead": msg("No more letters of %(newsletter)s will come to this address."),
    "goodbye_action": msg("Subscribe again"),
    "goodbye_note": msg("You are welcome back at any time."),
    "goodbye_why": msg(
        "This single letter was sent because this address has left %(newsletter)s at %(site)s."
    ),
    "welcome_subject": msg("Welcome to %(newsletter)s"),
    "welcome_title": msg("You are in"),
    "welcome_lead": msg("From now on %(newsletter)s comes to this address."),
    "welcome_latest": msg("This is what the latest issue tells:"),
    "welcome_action": msg("Read it on the web"),
    "welcome_note": msg("The next issue is the first that comes by mail. You can leave with one click."),
    "welcome_why": msg(
        "This letter was sent because %(newsletter)s was confirmed for this address at %(site)s."
    ),
    "manage_subject": msg("Your data at %(site)s"),
    "manage_title": msg("Your data, and your address"),
    "manage_lead": msg(
        "With this link you can see all that we keep about you, take another address, or have everything"
        " erased."
    ),
    "manage_action": msg("Open my data"),
    "manage_note": msg(
        "The link works for one hour. If you did not ask for it, do nothing: nothing changes."
    ),
    "manage_why": msg("This single letter was sent because a reader of %(newsletter)s asked for this link."),
    "address_subject": msg("Please confirm your new address"),
    "address_title": msg("Is this your new address?"),
    "address_lead": msg(
        "A reader of %(newsletter)s wants to get the letters of %(site)s at this address from now on."
    ),
    "address_action": msg("Yes, send them here"),
    "address_note": msg("The link works for one day. If it was not you, do nothing: nothing will follow."),
    "address_why": msg("This single letter was sent because this address was entered at %(site)s."),
    "moved_subject": msg("Your letters go to another address now"),
    "moved_title": msg("You have moved"),
    "moved_lead": msg(
        "The letters of %(site)s go to your new address from now on. An issue that was on its way already may"
        " still come here."
    ),
    "moved_note": msg("If it was not you, answer this letter, please."),
    "moved_why": msg("This single letter was sent because the address of a reader was changed at %(site)s."),
    "test_subject": msg("Test letter from %(site)s"),
    "test_title": msg("It works"),
    "test_lead": msg("This is a test letter. As you can read it, letters from %(site)s reach this address."),
    "test_action": msg("See the latest issue"),
    "test_note": msg("There is nothing else to do."),
    "test_why": msg("This single letter was sent because the people who run %(site)s asked for a test."),
    "report_action": msg("Open"),
    "report_why": msg("This report goes to the people who run %(site)s."),
}

COUNTS: Mapping[str, tuple[str, str]] = {
    "stories": counted("%(num)s story", "%(num)s stories"),
    "reading_time": counted("%(num)s min read", "%(num)s min read"),
}

RHYTHMS: Mapping[str, str] = {
    "daily": msg("every day at %(time)s (%(place)s)"),
    "weekdays": msg("Monday to Friday at %(time)s (%(place)s)"),
    "days": msg("on %(days)s at %(time)s (%(place)s)"),
}
"""How often a letter comes, to be read after “comes to you”."""

DAYS: tuple[str, ...] = (
    msg("Mondays"),
    msg("Tuesdays"),
    msg("Wednesdays"),
    msg("Thursdays"),
    msg("Fridays"),
    msg("Saturdays"),
    msg("Sundays"),
)
"""To be read after “on”."""

REGIONS: Mapping[str, str] = {
    "Africa": msg("Africa"),
    "America": msg("America"),
    "Antarctica": msg("Antarctica"),
    "Arctic": msg("Arctic"),
    "Asia": msg("Asia"),
    "Atlantic": msg("Atlantic Ocean"),
    "Australia": msg("Australia"),
    "Europe": msg("Europe"),
    "Indian": msg("Indian Ocean"),
    "Pacific": msg("Pacific Ocean"),
}
"""The first part of a zone's name."""
