"""Lists of readers as CSV: read, checked whole, and only then taken in.

    blocks → lines (encoding) → records (delimiter, quotes) → people (columns, addresses) → spool (doubles)

The first pass goes through all of it and touches nothing. The second takes the people from the spool, a
chunk a transaction. Whatever a file holds, no more than a block of it and one record is in memory.
"""

from __future__ import annotations

from digest.roster.check import Checked, Problem, check
from digest.roster.lines import BadFile
from digest.roster.people import Person
from digest.roster.spool import Spool
from digest.roster.taking import Sum, survey, take_in

__all__ = ["BadFile", "Checked", "Person", "Problem", "Spool", "Sum", "check", "survey", "take_in"]
