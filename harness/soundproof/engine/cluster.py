"""A Dask cluster as a crew: any that a scheduler's address names (processes, SLURM, Kubernetes, machines by hand).

Dask brings messages to where workers are and says which are there; cells run in a process of ours beside each Dask
worker, as they do on this machine. So a cell that hangs, aborts or holds the interpreter's lock takes no Dask
worker with it, limits hold, and what a scheduler does with tasks of dead workers does not matter: each place gets
one message at a time, addressed to it. Artifacts go through the cache, which all machines must see under one name.
"""

from __future__ import annotations

import io
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from soundproof.engine.channel import Message, receive, send
from soundproof.engine.environment import Environment, detect
from soundproof.engine.process import LostError, Process
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future

# Seconds between two looks at whether a place is still there, and that a first worker may take to come.
_LOOK, _FIRST = 0.1, 60.0
# Seconds beyond a cell's own limit after which an answer will not come any more.
_TRAVEL = 60.0


@dataclass(eq=False)
class Cluster:
    """Workers of a Dask cluster. Use it as a context, around the run.

    Attributes:
        address: Of its scheduler.
        client: The connection.
    """

    address: str
    client: Client = field(repr=False)

    @classmethod
    def at(cls, where: str) -> Self:
        """Connect.

        Args:
            where: The scheduler's address, e.g. `tcp://10.0.0.1:8786`, or the file that it wrote for others.

        Raises:
            SoundproofError: Dask is not installed, or nobody answers.
        """
        try:
            from distributed import Client
        except ImportError:
            raise SoundproofError("--scheduler needs Dask: pip install 'soundproof[dask]'") from None
        place = {"scheduler_file": where} if Path(where).is_file() else {"address": where}
        try:
            # Nothing of the run waits for it: a scheduler that is gone for good ends the run.
            client = Client(  # type: ignore[no-untyped-call]
                **place, timeout=10, set_as_default=False, name="soundproof"
            )
        except (OSError, ValueError, TypeError) as error:
            raise SoundproofError(f"--scheduler {where}: no Dask scheduler answers there ({error})") from None
        return cls(where, client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):
            self.client.close(timeout=2)  # type: ignore[no-untyped-call]

    def places(self) -> Sequence[str]:
        """Addresses of the workers.

        Raises:
            SoundproofError: The scheduler is gone.
        """
        if self.client.status not in {"running", "connecting"} or self.client.scheduler is None:
            raise SoundproofError(f"the scheduler at {self.address} is gone; the same command goes on from here")
        return sorted(self.client.scheduler_info(n_workers=-1)["workers"])

    def hire(self, place: str, job: Mapping[str, Any]) -> Remote:
        """A process beside a Dask worker."""
        return Remote(self, place, job)

    def environment(self, device: str, threads: int | None) -> Environment:
        """The environment that all workers have; numbers of different chips do not belong together.

        Args:
            device: `auto`, `cpu` or `cuda`.
            threads: What torch may use; one by default, since workers share machines.

        Raises:
            SoundproofError: There are no workers, or they differ.
        """
        end = time.monotonic() + _FIRST
        while not (places := self.places()):
            if time.monotonic() > end:
                raise SoundproofError(
                    f"--scheduler {self.address}: no worker came within {_FIRST:.0f} s; start some"
                )
            time.sleep(_LOOK)
        try:
            found = self.client.run(_detected, device, threads or 1, workers=list(places))
        except SoundproofError:
            raise
        except Exception as error:  # what a worker raises, most likely that it has no soundproof
            raise SoundproofError(f"a worker cannot run soundproof ({type(error).__name__}: {error})") from None
        kinds = {tuple(sorted(each.items())) for each in found.values()}
        if len(kinds) > 1:
            lines = [
                f"worker {place}: {each['device']} {each['accelerator']}" for place, each in sorted(found.items())
            ]
            raise SoundproofError(["the workers compute on different devices; name one with --device", *lines])
        return Environment(**next(iter(found.values())))


class Remote:
    """A worker beside a Dask worker; see `soundproof.engine.process.Worker`."""

    def __init__(self, cluster: Cluster, place: str, job: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._place = place
        self._token = f"soundproof-{uuid.uuid4().hex}"
        self._heard: SimpleQueue[Message] = SimpleQueue()
        self._asked = Message("job", job)
        cluster.client.subscribe_topic(self._token, self._on_event)  # type: ignore[no-untyped-call]

    def send(self, message: Message) -> None:
        """Remember what to ask: limits come with the answer."""
        self._asked = message

    def answer(self, hear: Callable[[Message], None], seconds: float, memory: float) -> Message:
        """See `Worker`."""
        end = time.monotonic() + seconds + _TRAVEL
        future = self._submit(serve, self._token, _packed(self._asked), seconds, memory)
        while not future.done():  # type: ignore[no-untyped-call]
            self._pass_on(hear)
            if time.monotonic() > end or self._place not in self._cluster.places():
                future.cancel(force=True)  # type: ignore[no-untyped-call]
                raise LostError("is gone with its Dask worker", outside=True)
            time.sleep(_LOOK)
        self._pass_on(hear)
        try:
            packed = future.result(timeout=_TRAVEL)
        except Exception as error:
            raise LostError(
                f"is gone with its Dask worker ({type(error).__name__}: {error})", outside=True
            ) from error
        answer = _unpacked(packed)
        if answer.kind == "lost":
            raise LostError(
                str(answer.content["why"]), str(answer.content["words"]), outside=bool(answer.content["outside"])
            )
        return answer

    def close(self) -> None:
        """End it, if its place is still there."""
        with suppress(Exception):
            self._cluster.client.unsubscribe_topic(self._token)  # type: ignore[no-untyped-call]
            if self._place in self._cluster.places():
                from distributed import fire_and_forget

                fire_and_forget(self._submit(dismiss, self._token))  # type: ignore[no-untyped-call]

    def _submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self._cluster.client.submit(
            call,
            *arguments,
            key=f"{self._token}-{uuid.uuid4().hex[:8]}",
            workers=[self._place],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )

    def _on_event(self, event: tuple[float, Any]) -> None:
        with suppress(Exception):
            self._heard.put(Message(str(event[1]["kind"]), dict(event[1]["content"])))

    def _pass_on(self, hear: Callable[[Message], None]) -> None:
        with suppress(Empty):
            while True:
                hear(self._heard.get_nowait())


# What runs on a Dask worker: a process for each token.
_SERVED: dict[str, Process] = {}


def serve(token: str, packed: bytes, seconds: float, memory: float) -> bytes:
    """Pass a message on to a token's process and return its answer; a job starts the process.

    Args:
        token: Of a seat of a run.
        packed: The message.
        seconds: As in `Worker.answer`, and so is the next.
        memory: Bytes.
    """
    from distributed import get_worker

    asked = _unpacked(packed)
    worker = get_worker()

    def hear(message: Message) -> None:
        worker.log_event(token, {"kind": message.kind, "content": dict(message.content)})

    try:
        if asked.kind == "job":
            # A place serves one run at a time; processes of runs that are gone make room.
            for other in list(_SERVED):
                dismiss(other)
            _SERVED[token] = Process(asked.content)
        elif token in _SERVED:
            _SERVED[token].send(asked)
        else:
            raise LostError("made room for another run", outside=True)
        return _packed(_SERVED[token].answer(hear, seconds, memory))
    except LostError as error:
        _SERVED.pop(token, None)
        return _packed(Message("lost", {"why": str(error), "words": error.words, "outside": error.outside}))


def dismiss(token: str) -> None:
    """End a token's process, if there is one."""
    process = _SERVED.pop(token, None)
    if process is not None:
        process.close()


def _detected(device: str, threads: int) -> dict[str, Any]:
    return dict(vars(detect(device, threads)))


def _packed(message: Message) -> bytes:
    stream = io.BytesIO()
    send(stream, message)
    return stream.getvalue()


def _unpacked(packed: bytes) -> Message:
    message = receive(io.BytesIO(packed))
    assert message is not None
    return message
