"""The command `bench`: parses, calls one function, maps errors to exit codes once."""

from __future__ import annotations

import argparse
import sys
import traceback
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from soundproof.cli import (
    cache,
    check,
    compare,
    data,
    evaluate,
    gate,
    listen,
    ls,
    new,
    pack,
    plan,
    render,
    run,
    site,
    verify,
    weights,
)
from soundproof.cli import explain as explaining
from soundproof.cli.output import drop, explain, say, steady
from soundproof.errors import SoundproofError, raised_at

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, USAGE, INTERRUPTED = 1, 2, 130
# In the order of the help.
_COMMANDS = (
    *(run, plan, evaluate, listen, ls, render, site, compare, gate),
    *(check, new, pack, verify, weights, data, cache, explaining),
)
_EPILOG = """\
examples:
  bench run --suite quick                     everything once, on embedded data, in two minutes
  bench run --suite esc10 --data ~/audio      real sound; ~/audio holds ESC-50-master/
  bench plan --suite esc10 --data ~/audio     what that would run, and how long it will take
  bench ls attacks                            what is installed, also from other packages
  bench ls pgd                                what one component does, its parameters and presets
  bench render leaderboards/quick             draw the pages of finished results again
  bench site leaderboards                     draw the index of all boards
  bench compare leaderboards/quick results    what changed between two runs, row by row
  bench gate --baseline A --candidate B       fail if B is worse than A by more than chance
  bench check fgsm                            whether a component keeps its promises
  bench new attack tremolo                    a plugin of your own, ready to install
  bench weights fetch quick                   trained networks into the cache, to try an attack on
  bench pack results 9f3c -o mine.bundle      the examples of a row, to be scored by others
  bench verify mine.bundle                    score somebody's examples, and run none of their code
  bench explain leaderboards/quick 9f3c       whether a row is cached, and what has changed since
  bench cache gc --limit 20GB                 make room in the cache
  bench data fetch fsdd --data ~/audio        get a public data set

exit codes: 0 done, 1 some cells failed (the rest finished), 2 bad input, 130 interrupted (run it again to go on)
"""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="bench",
        description="Measure how well audio classifiers hold against adversarial attacks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    top.add_argument("--version", action="version", version=f"soundproof {version('soundproof')}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands, common)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    grammar = parser()
    options = grammar.parse_args(arguments)
    if options.command is None:
        grammar.print_help()
        return 0
    with steady():
        try:
            code = _guarded(options)
            sys.stdout.flush()
        except OSError as error:
            # There is nowhere to write to: `> /dev/full`.
            with suppress(OSError):
                say(f"bench: standard output: {error.strerror or error}", sys.stderr)
            drop(sys.stdout)
            return USAGE
        return code


def _guarded(options: argparse.Namespace) -> int:
    """Run a command; whatever ends it early becomes a message and an exit code."""
    try:
        code: int = options.call(options)
    except SoundproofError as error:
        return _report(error, error.problems, debug=options.debug)
    except OSError as error:
        return _report(error, [explain(error)], debug=options.debug)
    except KeyboardInterrupt:
        say("bench: interrupted; the same command goes on from here", sys.stderr)
        return INTERRUPTED
    except SystemExit as stop:
        # No command ends like this: something that it called did, and left the rest undone.
        if options.debug:
            traceback.print_exc()
        say(f"bench: sys.exit({stop.code!r}) at {raised_at(stop)} ended this early; mend the plugin", sys.stderr)
        return FAILED
    return code


def _report(error: Exception, problems: Sequence[str], *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    count = len(problems)
    lines = "\n".join(f"  {problem}" for problem in problems)
    say(f"bench: {count} problem{'s' if count > 1 else ''}:\n{lines}", sys.stderr)
    return USAGE
