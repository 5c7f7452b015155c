"""Goldens: values that another library computed, as text that the C++ tests read.

    [case]
    name value value ...

A script makes them anew and compares (what ctest does), or rewrites the file with --write."""

import math
import sys

RELATIVE, ABSOLUTE = 1e-9, 1e-12  # libraries' versions may add in another order


class Goldens:
    def __init__(self, script, versions, relative=RELATIVE, absolute=ABSOLUTE):
        self._tolerances = {"rel_tol": relative, "abs_tol": absolute}
        self._head = [f"# Written by tests/interop/{script} --write", f"# {versions}"]
        self._cases = {}

    def add(self, case, **entries):
        self._cases[case] = {name: self._texts(value) for name, value in entries.items()}

    def _texts(self, value):
        if isinstance(value, str):
            return [value]
        if hasattr(value, "tolist"):
            value = value.ravel().tolist()
        if not isinstance(value, list):
            value = [value]
        return [repr(one) for one in value]

    def _text(self):
        lines = list(self._head)
        for case, entries in self._cases.items():
            lines += ["", f"[{case}]"]
            lines += [" ".join([name, *texts]) for name, texts in entries.items()]
        return "\n".join(lines) + "\n"

    def end(self):
        """Compares with the file that the command line names, or writes it."""
        path = sys.argv[1]
        if "--write" in sys.argv:
            with open(path, "w") as file:
                file.write(self._text())
            sys.exit(0)
        with open(path) as file:
            there = _lines(file.read())
        now = _lines(self._text())
        num_wrong = 0 if len(there) == len(now) else 1
        for old, new in zip(there, now):
            if not _is_same(old, new, self._tolerances):
                num_wrong += 1
                print(f"FAILED\n  file: {old[:200]}\n  now:  {new[:200]}")
        print(f"{len(now)} lines, {num_wrong} differ")
        sys.exit(1 if num_wrong else 0)


def _lines(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _is_same(old, new, tolerances):
    old, new = old.split(), new.split()
    return len(old) == len(new) and all(_is_same_value(a, b, tolerances) for a, b in zip(old, new))


def _is_same_value(a, b, tolerances):
    if a == b:
        return True
    try:
        return math.isclose(float(a), float(b), **tolerances)
    except ValueError:
        return False
