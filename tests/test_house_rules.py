"""The nevers of the house, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "digest"

# The floors, from the ground up: a module imports only from its own room or from floors below it.
FLOORS = (
    {"model", "keyed"},
    {"timing", "polling", "html", "net", "config", "links", "workers", "store", "addresses", "guard",
     "headers", "packing", "unpack", "typeset", "wording", "languages", "translations", "turns", "hops",
     "ways", "faults", "asking", "matching", "patterns", "pace"},
    {"render", "feeds", "summarizer", "roster"},
    {"publishers", "web", "writer"},
    {"line"},
    {"drafting"},
    {"issuing"},
    {"pipeline"},
    {"verdicts", "sending", "watch"},
    {"dispatch", "intake", "report"},
    {"desk", "replay", "why", "shelving", "nursery"},
    {"scheduler"},
    {"service"},
    {"cli"},
)  # fmt: skip
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# One library, one door: who may import it.
DOORS = {
    "aiohttp": {"net", "ways", "faults", "asking"},
    "aiosmtplib": {"publishers.smtp"},
    "aiosqlite": {"store"},
    "alembic": {"store"},
    "apscheduler": {"scheduler"},
    "babel": {"languages", "translations"},
    "backports": {"unpack"},
    "brotli": {"unpack", "packing"},
    "chardet": {"feeds.guessing"},
    "click": {"cli"},
    "cryptography": {"publishers.keys"},
    "css_inline": {"render"},
    "email_validator": {"addresses"},
    "feedgen": {"publishers"},
    "feedparser": {"feeds.parse"},
    "lxml": {"html", "feeds", "summarizer", "publishers"},
    "jinja2": {"render"},
    "nh3": {"html"},
    "pebble": {"workers"},
    "prometheus_client": {"web.health"},
    "psycopg": {"store"},
    "py3langid": {"summarizer"},
    "pydantic": {"config"},
    "regex": {"patterns"},
    "simplemma": {"summarizer"},
    "sqlalchemy": {"store"},
    "starlette": {"web"},
    "stopwordsiso": {"summarizer"},
    "structlog": {"cli.console"},
    "trafilatura": {"summarizer"},
    "uvicorn": {"service"},
    "uvloop": {"service"},
    "yaml": {"config"},
    "yarl": {"net", "hops"},
}

PURE = (
    "model",
    "keyed",
    "guard",
    "headers",
    "hops",
    "pace",
    "packing",
    "unpack",
    "timing",
    "polling",
    "html",
    "feeds.parse",
    "feeds.health",
    "summarizer",
    "render",
    "languages",
    "links",
    "matching",
    "packing",
    "store.terms",
    "store.excerpts",
    "web.prepared",
    "web.conditional",
    "roster.lines",
    "roster.records",
    "roster.people",
    "roster.standing",
    "roster.cells",
    "roster.check",
    "store.chain",
    "web.gate",
    "publishers.breaker",
    "publishers.dkim",
    "publishers.keys",
    "publishers.limits",
    "verdicts",
    "publishers.message",
    "publishers.rates",
    "publishers.shares",
    "publishers.feed_content",
    "publishers.feed_documents",
    "publishers.feed_json",
    "publishers.conversation",
    "publishers.envelope",
    "publishers.offers",
    "publishers.admission",
    "publishers.replies",
    "publishers.reply_reader",
)
IMPURE_IMPORTS = {"aiohttp", "asyncio", "http", "os", "random", "requests", "secrets", "socket", "sqlite3",
                  "ssl", "subprocess", "urllib.request"}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "localtime"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


SOURCES = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if "versions" not in path.parts and path.name != "__main__.py"  # two lines that start the command
}


def room(name: str) -> str:
    return name.partition(".")[0]


def imported(tree: ast.Module, *, ours: bool) -> Iterator[str]:
    """Every module a source imports, also inside functions. Ours come without `digest.`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "digest" or node.module.startswith("digest."):
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name.removeprefix("digest.") in SOURCES else node.module for name in full]
        else:
            continue
        for name in names:
            if (name == "digest" or name.startswith("digest.")) == ours:
                yield name.removeprefix("digest").removeprefix(".")


def within(name: str, rooms: set[str] | tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in rooms)


def test_every_room_has_its_floor() -> None:
    rooms = {room(name) for name in SOURCES if name}
    assert rooms == set(FLOOR), "a room came or went: give it a floor"


@pytest.mark.parametrize("name", [name for name in SOURCES if name])
def test_imports_go_down_only(name: str) -> None:
    for other in imported(SOURCES[name], ours=True):
        if other and room(other) != room(name):
            assert FLOOR[room(other)] <= FLOOR[room(name)], f"{name} imports {other}, which is above it"


def test_the_ground_has_no_rings() -> None:
    """Rooms of one floor may use one another, but never in a circle."""
    edges = {
        (room(name), room(other))
        for name in SOURCES
        for other in imported(SOURCES[name], ours=True)
        if name and other and room(name) != room(other)
    }

    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            after == goal or (after not in seen and reaches(after, goal, seen | {after}))
            for before, after in edges
            if before == start
        )

    assert [each for each in FLOOR if reaches(each, each)] == []


def test_the_dictionary_imports_nothing_of_ours() -> None:
    assert list(imported(SOURCES["model"], ours=True)) == []


@pytest.mark.parametrize("name", [name for name in SOURCES if name])
def test_stages_never_import_one_another(name: str) -> None:
    stages = {"feeds", "summarizer", "publishers", "web"}
    if room(name) in stages:
        others = {room(other) for other in imported(SOURCES[name], ours=True)} & (stages - {room(name)})
        assert others == set()


@pytest.mark.parametrize("name", [name for name in SOURCES if name])
def test_the_store_imports_only_the_model(name: str) -> None:
    if room(name) == "store":
        assert {room(other) for other in imported(SOURCES[name], ours=True)} <= {"model", "store"}


@pytest.mark.parametrize("name", [name for name in SOURCES if name])
def test_only_cli_and_service_know_the_config(name: str) -> None:
    if room(name) not in {"cli", "service", "config"}:
        assert "config" not in {room(other) for other in imported(SOURCES[name], ours=True)}


@pytest.mark.parametrize("name", list(SOURCES))
def test_one_library_has_one_door(name: str) -> None:
    for library in imported(SOURCES[name], ours=False):
        top = library.partition(".")[0]
        if top in DOORS:
            assert within(name, DOORS[top]), f"{name} imports {library}; its door is {DOORS[top]}"


@pytest.mark.parametrize("name", [name for name in SOURCES if within(name, PURE)])
def test_pure_rooms_touch_no_network_clock_or_environment(name: str) -> None:
    tree = SOURCES[name]
    libraries = set(imported(tree, ours=False))
    assert libraries & IMPURE_IMPORTS == set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            owner = ast.unparse(node.func.value)
            assert owner not in {"datetime", "date", "time", "datetime.datetime"}, f"{name} reads a clock"


@pytest.mark.parametrize("name", list(SOURCES))
def test_no_module_keeps_a_state_that_changes(name: str) -> None:
    for node in ast.walk(SOURCES[name]):
        assert not isinstance(node, ast.Global), f"{name}: a global that changes"


def test_nothing_imports_the_command_line() -> None:
    for name, tree in SOURCES.items():
        if room(name) != "cli":
            assert "cli" not in {room(other) for other in imported(tree, ours=True)}, name
