"""Run the benchmarks that are named, or all: `python -m bench`, `python -m bench pull --rounds 1`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

NOT_ONE = {"__main__", "interleaved"}


def main() -> None:
    names = [
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.ispkg and module.name not in NOT_ONE
    ]
    given = sys.argv[1:]
    first = next((place for place, word in enumerate(given) if word.startswith("-")), len(given))
    chosen, options = given[:first] or names, given[first:]
    for name in chosen:
        if name not in names:
            sys.exit(f"no benchmark '{name}'; there are {', '.join(names)}")
    if options and len(chosen) > 1:
        sys.exit(f"name the benchmark that {options[0]} is for: python -m bench NAME {options[0]} …")
    for name in chosen:
        run = importlib.import_module(f"bench.{name}").main
        run(options) if options else run()


if __name__ == "__main__":
    main()
