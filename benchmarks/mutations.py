"""Mutations of every kind of file that isthmus reads: each is refused by name, or has no effect on any answer.

    python benchmarks/mutations.py                    # 40 of each kind, seeds 0 to 39
    python benchmarks/mutations.py --each 200 --kind connector

Small artifacts of every kind are written, mutated at random (bits, cuts, swaps, changed JSON and headers, folders,
links, pipes and endless devices in a file's place, files of another artifact), and read: loaded, verified, and asked
for projections, hits, codes, items. Per kind the table counts what was

    refused   by an IsthmusError that names the file or its folder
    same      the answers are equal to the last bit
    other     the answers differ: allowed only for kinds that have no hash, such as a list of texts
    bad       anything else: another exception, an error that names nothing, a hang, another answer of a hashed kind

The exit code is 1 if anything was bad; every bad case is printed with the seed that repeats it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from isthmus import IsthmusError
from worlds.artifacts import KINDS, Kind, digest
from worlds.mutants import mutations_of, swapped_with

LONGEST_SECONDS = 20
MOST_BYTES = 6 * 2**30
"""Of address space: a header that promises a petabyte meets an allocation that fails, not the machine's end."""


class HangError(BaseException):
    """A reader took too long; no ``except Exception`` may swallow it."""


@dataclass(frozen=True)
class Case:
    """What came of one mutation: ``refused``, ``same``, ``other`` or ``bad``, and how to see it again."""

    kind: str
    seed: int
    mutation: str
    outcome: str
    detail: str = ""


def cases(kind: Kind, seeds: Sequence[int], root: Path, trace: bool = False) -> Iterator[Case]:
    """Build the kind twice, then mutate the first one once for each seed."""
    whole, another = root / "whole", root / "another"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind.build(whole, 0)
        kind.build(another, 1)
        expected = _asked(kind, whole, root / "copy")
        for seed in seeds:
            yield _case(kind, seed, whole, another, root / "copy", expected, trace)


def _asked(kind: Kind, whole: Path, copy: Path) -> str:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    return digest(kind.answer(copy))


def _case(kind: Kind, seed: int, whole: Path, another: Path, copy: Path, expected: str, trace: bool) -> Case:
    draw = Random(f"{kind.name} {seed}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    file = draw.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
    place = file.relative_to(copy)
    known = mutations_of(file)
    several = sum(path.is_file() for path in whole.rglob("*")) > 1
    if several and (another / place).is_file():
        known.append(swapped_with(another / place))
    mutation = draw.choice(known)
    mutation(file, draw)
    outcome, detail = _outcome(kind, copy, file.name, expected, trace)
    return Case(kind.name, seed, f"{mutation.__name__} of {place}", outcome, detail)


def _outcome(kind: Kind, copy: Path, name: str, expected: str, trace: bool) -> tuple[str, str]:
    signal.signal(signal.SIGALRM, _hang)
    signal.alarm(LONGEST_SECONDS)
    try:
        found = digest(kind.answer(copy))
    except IsthmusError as error:
        message = str(error)
        if "\n" in message:
            return "bad", f"several lines: {message!r}"
        return ("refused", message) if name in message or str(copy) in message else ("bad", f"names nothing: {message}")
    except HangError:
        return "bad", f"not done after {LONGEST_SECONDS} s"
    except Exception as error:
        if trace:
            traceback.print_exc()
        return "bad", f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    if found == expected:
        return "same", ""
    return ("bad", "another answer") if kind.sealed else ("other", "")


def _hang(*_: object) -> None:
    raise HangError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40, help="mutations of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the first seed; the others follow")
    parser.add_argument("--kind", default="", help="only kinds whose name contains this")
    parser.add_argument("--trace", action="store_true", help="show tracebacks")
    parser.add_argument("--refusals", action="store_true", help="show every refusal")
    options = parser.parse_args()
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    print(f"{'kind':26}{'refused':>9}{'same':>7}{'other':>7}{'bad':>6}", flush=True)
    total: Counter[str] = Counter()
    bad: list[Case] = []
    for kind in KINDS:
        if options.kind not in kind.name:
            continue
        seeds = range(options.seed, options.seed + options.each)
        with tempfile.TemporaryDirectory() as root:
            own = list(cases(kind, seeds, Path(root), options.trace))
        counts = Counter(case.outcome for case in own)
        total += counts
        bad += [case for case in own if case.outcome == "bad"]
        _print(kind.name, counts)
        if options.refusals:
            for case in own:
                print(f"    {case.seed} {case.mutation}: {case.outcome} {case.detail}")
    _print(f"all {total.total()}", total)
    for case in bad:
        print(f"BAD {case.kind}, seed {case.seed}, {case.mutation}: {case.detail[:300]}")
    sys.exit(1 if bad else 0)


def _print(name: str, counts: Counter[str]) -> None:
    print(f"{name:26}{counts['refused']:9}{counts['same']:7}{counts['other']:7}{counts['bad']:6}", flush=True)


if __name__ == "__main__":
    main()
