"""Networks of the user's own: built by a function that a string names, with weights that hold no code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.errors import SoundproofError, raised_at

if TYPE_CHECKING:
    from torch import nn


def source_of(build: str) -> Path:
    """The file that holds the function that `package.module:function` names.

    Raises:
        SoundproofError: There is no such module, or it is no Python file.
    """
    module, colon, function = build.partition(":")
    if not (module and colon and function.isidentifier()):
        raise SoundproofError(f"{build!r} names no function: write package.module:function")
    with _here():
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError) as error:
            raise SoundproofError(f"{build}: {error}; run from the folder that holds it, or install it") from None
    if found is None or found.origin is None:
        raise SoundproofError(f"{build}: there is no module {module!r}; run in its folder or install it")
    return Path(found.origin)


def load_module(build: str, weights: str | Path | None = None) -> nn.Module:
    """A network from `package.module:function`, which takes no arguments, and its weights.

    Args:
        build: Where the function is; the current folder is searched, too.
        weights: A safetensors file of the same names and shapes; None leaves the network as it is built.

    Raises:
        SoundproofError: There is no such function, it raises or returns none, or the weights are not its own.
    """
    from torch import nn

    source_of(build)
    module, _, function = build.partition(":")
    try:
        with _here():
            made: object = getattr(importlib.import_module(module), function)()
    except (Exception, SystemExit) as error:
        raise SoundproofError(f"{build}: raised {type(error).__name__}: {error} ({raised_at(error)})") from error
    if not isinstance(made, nn.Module):
        raise SoundproofError(f"{build}: returned {type(made).__name__}, not a torch.nn.Module")
    if weights is not None:
        load_weights(made, Path(weights))
    return made.eval()


def load_weights(module: nn.Module, path: Path) -> None:
    """Put weights from a safetensors file into a network; nothing in the file is ever executed.

    Raises:
        SoundproofError: It is missing, no safetensors file (a pickle, say), or of other names or shapes.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except FileNotFoundError:
        raise SoundproofError(f"{path}: there is no such file") from None
    except OSError as error:
        raise SoundproofError(f"{path}: {error.strerror or error}") from None
    except (SafetensorError, ValueError) as error:
        remedy = "write it with safetensors.torch.save_file(module.state_dict(), …); pickles are never loaded"
        raise SoundproofError(f"{path}: not a safetensors file ({error}); {remedy}") from None
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise SoundproofError(f"{path}: {' '.join(str(error).split())}") from None


class _here:  # noqa: N801 - reads like the statement it is
    """The current folder on Python's path, as with `python -m`."""

    def __enter__(self) -> None:
        self._folder = str(Path.cwd())
        sys.path.insert(0, self._folder)

    def __exit__(self, *_: object) -> None:
        if self._folder in sys.path:
            sys.path.remove(self._folder)
