"""`bench listen`: the sounds of a results folder as WAV files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say
from soundproof.errors import ResultsError, SoundproofError

if TYPE_CHECKING:
    import argparse

    from soundproof.boards.listening import Recorded
    from soundproof.results.files import Results, Row

_EXAMPLES = """\
examples:
  bench run --suite in-sound --out results --sounds   a run that keeps the sound of a few clips
  bench listen results 3fa9                           what the row whose key begins so sounds like
  bench listen results 3fa9 --clip 17 --out wavs      another clip, into another folder
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench listen`."""
    import argparse

    parser = commands.add_parser(
        "listen",
        parents=[common],
        help="write the sounds of a run as WAV files",
        description="Write a clip, the clip under attack, and what the attack adds, as 24-bit WAV files.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", type=Path, metavar="OUT", help="results folder of a `bench run --sounds`")
    parser.add_argument("row", metavar="ROW", help="key of a row of results.jsonl, or how it begins")
    parser.add_argument("--clip", type=int, metavar="N", help="row of the clip in the data set's index")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (default: OUT/sounds)")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Write the files."""
    from soundproof.boards.listening import recorded
    from soundproof.boards.names import Names
    from soundproof.results.files import read

    results = read(arguments.results)
    if not results.sounds:
        raise ResultsError(
            f"{arguments.results} holds no sounds: run the suite again with --sounds; what it measured is cached"
        )
    names = Names(results)
    row = _row(results, arguments.row)
    of_it = [each for each in recorded(results, results.rows, names) if each.name == names.classifier(row)]
    if not of_it:
        kept = ", ".join(sorted({each.name.words for each in recorded(results, results.rows, names)}))
        raise ResultsError(f"no sound of {row.title()} was kept; there are sounds of {kept}")
    chosen = [each for each in of_it if arguments.clip in {None, each.clip}][:1]
    if not chosen:
        kept = ", ".join(f"{each.clip} ({each.title})" for each in of_it)
        raise ResultsError(f"no sound of clip {arguments.clip} was kept; there are sounds of {kept}")
    attack = None if row.attack is None else str(names.attack(row))
    into = arguments.out or arguments.results / "sounds"
    for path in _written(chosen[0], attack, into):
        say(str(path))
    return 0


def _row(results: Results, words: str) -> Row:
    """The row whose key begins with some letters.

    Raises:
        SoundproofError: There is none, or there are several.
    """
    found = [row for row in results.rows if row.key.startswith(words)] if words else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise SoundproofError(f"no row has a key that begins with {words!r}; results.jsonl holds them")
    listed = "; ".join(f"{row.key[:12]} {row.title()}" for row in found[:5])
    raise SoundproofError(f"{len(found)} rows have keys that begin with {words!r}, give more of it: {listed}")


def _written(of: Recorded, attack: str | None, into: Path) -> list[Path]:
    """Write the clip, and of one attack or of all the attacked clip and what is added."""
    import soundfile

    from soundproof.boards.listening import amplification, amplified

    added = [each for each in of.added if attack in {None, str(each.attack)}]
    if not added:
        raise ResultsError(f"no sound of {attack} was kept; the attack has none, or it is a control")
    sounds = {"clean": of.clean}
    for each in added:
        raised = amplification(of.clean, each.change)
        sounds[f"{each.attack}"] = of.clean + each.change
        sounds[f"{each.attack}-adds{raised:+d}dB"] = amplified(each.change, raised)
    into.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, waveform in sounds.items():
        stem = re.sub(r"[^A-Za-z0-9.+_-]+", "_", f"{Path(of.title).stem}-{of.name.representation}-{name}")
        paths.append(into / f"{stem}.wav")
        soundfile.write(paths[-1], waveform.clip(-1, 1), of.rate, subtype="PCM_24")
    return paths
