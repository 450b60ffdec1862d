"""A tally of checks. Each is a line of JSON on standard output, which the conductor counts."""

import json
import sys


def check(name, ok, detail=""):
    print(json.dumps({"check": name, "ok": bool(ok), "detail": "" if ok else str(detail)[:400]}), flush=True)
    return bool(ok)


def equal(name, got, wanted):
    return check(name, got == wanted, f"got {got!r}, wanted {wanted!r}")


def part(name, function):
    """Runs one part; what it trips over is a failed check, and the next part runs all the same."""
    try:
        function()
    except Exception as error:  # whatever it is, the conductor must hear of it
        check(f"{name} runs to its end", False, f"{type(error).__name__}: {error}")
        print(f"{name}: {error!r}", file=sys.stderr)


async def wait_for_part(name, work):
    """The same for a part that runs beside others."""
    try:
        await work
    except Exception as error:  # whatever it is, the conductor must hear of it
        check(f"{name} runs to its end", False, f"{type(error).__name__}: {error}")
