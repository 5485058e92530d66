"""Run every benchmark here, `python -m benchmarks`, or some by name, `python -m benchmarks layers`."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import benchmarks


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; 0 when every limit holds."""
    good = True
    every = [module.name for module in iter_modules(benchmarks.__path__) if module.name != "__main__"]
    for name in chosen or every:
        run = getattr(import_module(f"benchmarks.{name}"), "main", None)
        if run is not None:
            print(f"\n## {name}\n", flush=True)
            good &= run() is not False
    return 0 if good else 1


if __name__ == "__main__":
    names = sys.argv[1:]
    del sys.argv[1:]
    raise SystemExit(main(names))
