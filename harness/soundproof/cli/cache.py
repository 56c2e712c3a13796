"""`bench cache`: what a cache holds, whether it is whole, how to make room in it or carry it elsewhere."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    import argparse

FLAWED = 1
_DAY = 86400.0
_EXAMPLES = """\
examples:
  bench cache info                          entries and bytes by stage
  bench cache verify                        read every byte; damaged entries are set aside
  bench cache gc --limit 20GB               least recently used entries make room; runs that go on lose nothing
  bench cache gc --unused 90 --dry-run      what nobody has read for 90 days
  bench cache export networks.tar           trained and defended networks, for another machine
  bench cache import networks.tar           each entry is checked before it counts

With SOUNDPROOF_CACHE_LIMIT=20GB every run makes room when it ends. Exit code 1: something is damaged.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench cache`."""
    import argparse

    parser = commands.add_parser(
        "cache",
        parents=[common],
        help="what the cache holds; verify, make room, carry elsewhere",
        description="Look after the cache, where stages of runs leave what they made.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="info|verify|gc|export|import")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--cache", metavar="DIR", help="the cache (default: $SOUNDPROOF_CACHE, else ./.soundproof-cache)"
    )
    parents = [common, place]
    info = actions.add_parser("info", parents=parents, help="entries and bytes by stage")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    info.set_defaults(call=show)
    verify = actions.add_parser("verify", parents=parents, help="read every byte; set damaged entries aside")
    verify.set_defaults(call=check)
    gc = actions.add_parser("gc", parents=parents, help="make room, least recently used entries first")
    gc.add_argument("--limit", metavar="SIZE", help="what entries may take, e.g. 500MB or 20GB")
    gc.add_argument("--unused", type=float, metavar="DAYS", help="remove what was not read for so long")
    gc.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    gc.set_defaults(call=collect)
    out = actions.add_parser("export", parents=parents, help="write networks, or other entries, into one archive")
    out.add_argument("archive", metavar="FILE.tar")
    out.add_argument("--stage", action="append", metavar="NAME", help="whose entries (default: trained, defended)")
    out.set_defaults(call=ship)
    take = actions.add_parser("import", parents=parents, help="take the entries of an archive")
    take.add_argument("archive", metavar="FILE.tar")
    take.set_defaults(call=receive)


def show(arguments: argparse.Namespace) -> int:
    """Print what a cache holds."""
    from soundproof.engine.demand import written
    from soundproof.engine.entries import summary
    from soundproof.engine.leases import needed

    root = _root(arguments)
    found = {**summary(root), "needed": len(needed(root))}
    if arguments.json:
        say(json.dumps(found))
        return 0
    say(f"{root}: {found['entries']:,} entries, {written(found['bytes'])}")
    for name, stage in found["stages"].items():
        age = (time.time() - stage["least_recent"]) / _DAY
        say(f"  {name:12} {stage['entries']:8,}  {written(stage['bytes']):>8}  oldest use {age:.0f} days ago")
    if found["needed"]:
        say(f"  running jobs hold {found['needed']:,} keys")
    if found["damaged"]:
        say(f"  {found['damaged']} damaged entries were set aside; `bench cache gc` removes them")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Read everything; 1 if something was damaged."""
    from soundproof.engine.entries import verify

    root = _root(arguments)
    whole, flaws = verify(root)
    for entry, why in flaws:
        say(f"damaged: {entry.stage}/{entry.digest}: {why}; set aside, the next run makes it again")
    say(f"{whole:,} entries are whole, {len(flaws)} were damaged")
    return FLAWED if flaws else 0


def collect(arguments: argparse.Namespace) -> int:
    """Make room."""
    from soundproof.engine.demand import written
    from soundproof.engine.eviction import LIMIT, evict, limit_of

    root = _root(arguments)
    if arguments.limit is None and arguments.unused is None and not os.environ.get(LIMIT):
        raise SoundproofError("cache gc: say --limit SIZE, --unused DAYS or both, or set SOUNDPROOF_CACHE_LIMIT")
    limit = limit_of(arguments.limit or os.environ.get(LIMIT))
    since = 0.0 if arguments.unused is None else time.time() - arguments.unused * _DAY
    done = evict(root, limit, unused_since=since, dry=arguments.dry_run)
    verb = "would remove" if arguments.dry_run else "removed"
    say(f"{verb} {len(done.removed):,} entries, {written(done.freed)}; {written(done.kept)} stay")
    if done.kept > limit:
        say(f"that is above the limit: running jobs need {written(done.needed)}")
    return 0


def ship(arguments: argparse.Namespace) -> int:
    """Write an archive."""
    from soundproof.engine.shipping import NETWORKS, pack

    count = pack(_root(arguments), Path(arguments.archive), arguments.stage or NETWORKS)
    say(f"{arguments.archive}: {count:,} entries")
    return 0


def receive(arguments: argparse.Namespace) -> int:
    """Take an archive in; 1 if some of it was damaged."""
    from soundproof.engine.environment import cache_folder
    from soundproof.engine.shipping import unpack

    got = unpack(cache_folder(arguments.cache), Path(arguments.archive))
    for line in got.refused:
        say(f"refused: {line}")
    say(f"{got.added:,} entries added, {got.there:,} were there already, {len(got.refused)} refused")
    if got.added:
        say("they count where versions, device and threads are those that they were made with")
    return FLAWED if got.refused else 0


def _root(arguments: argparse.Namespace) -> Path:
    from soundproof.engine.environment import cache_folder

    root = cache_folder(arguments.cache)
    if not root.is_dir():
        raise SoundproofError(f"{root}: no such cache; name one with --cache")
    return root
