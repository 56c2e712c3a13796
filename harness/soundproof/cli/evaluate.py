"""`bench evaluate`: how robust a classifier of the user's own is, on clips of the user's own."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

FAILED = 1
_EXAMPLES = """\
example: birds.py holds   def network(): return MyNetwork()   and clips/ has a folder a class:
  bench evaluate birds:network --weights birds.safetensors --clips clips --rate 16000 --seconds 2

Classes are the folders' names in alphabetical order; --classes names them in the order of the logits.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench evaluate`."""
    import argparse

    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="measure a trained classifier of your own",
        description="Attack a trained classifier of waveforms on clips of yours; nothing is trained.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("build", metavar="MODULE:FUNCTION", help="returns a torch.nn.Module from [n, T] to logits")
    parser.add_argument("--weights", metavar="FILE", help="a safetensors file")
    parser.add_argument("--clips", required=True, metavar="DIR", help="test clips, a folder a class")
    parser.add_argument("--rate", required=True, type=int, help="sampling rate that the classifier hears, Hz")
    parser.add_argument("--seconds", required=True, type=float, help="length that clips are cut or padded to")
    parser.add_argument("--group", metavar="REGEX", help="what of a file's name tells its recording or speaker")
    parser.add_argument("--classes", metavar="A,B,…", help="classes in the order of the logits")
    parser.add_argument(
        "--attack", action="append", metavar="ID", help="may be repeated (default: those of quick)"
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--epsilon", type=float, help="radius of the ball, ‖ε‖₂ on samples scaled to [0, 1]")
    size.add_argument("--snr", type=float, metavar="DB", help="how far perturbations lie below each clip, dB")
    parser.add_argument("--name", default="mine", help="what boards call it")
    parser.add_argument("--out", metavar="DIR", help="results folder (default: results/<name>)")
    parser.add_argument("--cache", metavar="DIR", help="where work is kept")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Measure it; 1 if cells failed."""
    from soundproof.cli.run import summary
    from soundproof.cli.terminal import listener
    from soundproof.contract.discovery import discover
    from soundproof.data.checks import read_index, read_waveforms
    from soundproof.evaluation import ATTACKS, measure
    from soundproof.modules import load_module
    from soundproof.types import Kind, Ref

    start = time.monotonic()
    module = load_module(arguments.build, arguments.weights)
    folder = Path(arguments.clips).resolve()
    given: dict[str, Any] = {"path": folder.name, "seconds": arguments.seconds}
    if arguments.group:
        given["group"] = arguments.group
    dataset: Any = discover().build(Ref(Kind.DATASET, "folder", given))
    index = read_index(dataset, folder.parent)
    clips = read_waveforms(dataset, folder.parent, arguments.rate, index)
    sizes = {"epsilon": arguments.epsilon, "snr_db": arguments.snr}
    finished = measure(
        module,
        clips,
        [index.classes[label] for label in index.labels],
        rate=arguments.rate,
        classes=arguments.classes.split(",") if arguments.classes else index.classes,
        groups=index.groups if arguments.group else None,
        attacks=arguments.attack or ATTACKS,
        budget={key: size for key, size in sizes.items() if size is not None},
        name=arguments.name,
        out=arguments.out,
        cache=arguments.cache,
        device=arguments.device,
        listeners=[listener(sys.stderr)],
    )
    say(summary(finished, time.monotonic() - start))
    return FAILED if any(row.status.broken for row in finished.results.rows) else 0
