"""The admin's one file: `config.yaml` becomes frozen settings, or a list of what to mend by line.

    nodes      YAML with marks
    document   its values, with `${VAR}` and `!file`
    kinds      what a value may be
    sections   a publisher's dataclass as a part of the file
    shape      every setting
    choice     filters and interests
    words      errors in plain words
    problems   what is wrong, by line and column
    settings   the whole, frozen
    shown      the whole, for people
    secret     the file of the secret
    edit       a line put into the file, all else left as it was
    reference  schema for editors, table for people

pydantic's and PyYAML's door. Only `cli` and `service` know this package.
"""

from digest.config.problems import ConfigError, Problem
from digest.config.reference import reference, schema
from digest.config.secret import ensure_secret
from digest.config.settings import Settings, load
from digest.config.shape import FetchSettings, Keep, OpmlRef, WebSettings
from digest.config.shown import shown

__all__ = [
    "ConfigError",
    "FetchSettings",
    "Keep",
    "OpmlRef",
    "Problem",
    "Settings",
    "WebSettings",
    "ensure_secret",
    "load",
    "reference",
    "schema",
    "shown",
]
