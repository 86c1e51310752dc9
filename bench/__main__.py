"""Run the benchmarks that are named, or all."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

NOT_ONE = {"__main__", "interleaved"}


def main() -> None:
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in NOT_ONE]
    chosen = sys.argv[1:] or names
    for name in chosen:
        if name not in names:
            sys.exit(f"no benchmark '{name}'; there are {', '.join(names)}")
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
