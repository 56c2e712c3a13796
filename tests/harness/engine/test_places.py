"""Runs at several places: the same bytes in one process, in two and on a cluster, whatever is killed meanwhile."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from soundproof.api import execute
from soundproof.errors import SoundproofError
from soundproof.results import files

pytestmark = pytest.mark.slow

SUITE = {
    "name": "tiny",
    "datasets": [{"id": "synth", "takes": 1, "seconds": 0.5}],
    "representations": [{"id": "stft", "n_fft": 512, "size": [24, 24]}],
    "models": [{"id": "resnet56", "depth": 8, "width": 4}, "logistic-regression"],
    "defenses": ["none", {"id": "adversarial-training", "attack": "fgsm"}],
    "attacks": ["fgsm", "noise"],
    "training": {"epochs": 1},
}
FILES = (files.ROWS, files.SAMPLES, files.RUN)


def run(folder, cache="cache", **where):
    finished = execute(
        SUITE, out=folder / "out", cache=folder / cache, device="cpu", threads=1, isolate="none", **where
    )
    return finished.results


def content(folder):
    return [(folder / "out" / name).read_bytes() for name in FILES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return content(folder)


def computed(folder):
    """Of every cell that was computed, how often."""
    lines = [json.loads(line) for line in (folder / "out" / "events.jsonl").read_text().splitlines()]
    return [line["key"] for line in lines if line["event"] == "finish" and not line["cached"]]


def stages(folder, name):
    return len(list((folder / "cache" / name).glob("*/*")))


def test_two_jobs_give_the_same_bytes(tmp_path, whole):
    run(tmp_path, jobs=2)
    assert content(tmp_path) == whole
    assert len(computed(tmp_path)) == len(set(computed(tmp_path)))


def workers_of(process):
    """Processes that a process started to run cells."""
    with contextlib.suppress(psutil.Error):
        return [each for each in psutil.Process(process).children() if "engine.worker" in " ".join(each.cmdline())]
    return []


@contextlib.contextmanager
def killer(seed, pause):
    """Within this block a worker of this process is killed now and then; gives the list of those."""
    draw, over, killed = random.Random(seed), threading.Event(), []

    def work():
        while not over.wait(draw.uniform(*pause)):
            alive = workers_of(os.getpid())
            if alive:
                victim = draw.choice(alive)
                with contextlib.suppress(psutil.Error):
                    victim.kill()
                    killed.append(victim.pid)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_workers_killed_again_and_again_lose_nothing(tmp_path, whole):
    with killer(0, (3, 14)) as killed:
        run(tmp_path, jobs=2)
    assert killed
    assert content(tmp_path) == whole
    assert len(computed(tmp_path)) == len(set(computed(tmp_path)))


def client(folder, *arguments):
    suite = folder / "tiny.json"
    suite.write_text(json.dumps({"suite": SUITE, "folder": str(folder)}))
    code = (
        "import json,sys; from soundproof.api import execute; j=json.load(open(sys.argv[1])); f=j['folder'];"
        "execute(j['suite'], out=f+'/out', cache=f+'/cache', device='cpu', threads=1, isolate='none', jobs=2)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, suite, *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_client_that_is_ended_leaves_no_worker_and_the_next_goes_on(tmp_path, whole, how):
    process = client(tmp_path)
    end = time.monotonic() + 120
    while stages(tmp_path, "trained") == 0 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    alive = workers_of(process.pid)
    assert alive
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    psutil.wait_procs(alive, timeout=20)
    assert not [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    run(tmp_path, jobs=2)
    assert content(tmp_path) == whole


@pytest.fixture
def cluster():
    """Two Dask workers in processes of their own, as on other machines."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as there:
        yield there


def test_a_cluster_gives_the_same_bytes_also_when_a_worker_is_killed(tmp_path, whole, cluster):
    pids = [worker.pid for worker in cluster.workers.values()]
    assert len(pids) == 2

    def strike():
        while stages(tmp_path, "trained") == 0:
            time.sleep(0.05)
        # The Dask worker itself, below its nanny: as if the machine went away.
        for child in psutil.Process(pids[0]).children(recursive=True)[:1]:
            child.kill()

    thread = threading.Thread(target=strike, daemon=True)
    thread.start()
    run(tmp_path, scheduler=cluster.scheduler_address)
    thread.join()
    assert content(tmp_path) == whole
    assert len(computed(tmp_path)) == len(set(computed(tmp_path)))


def test_nobody_at_the_address(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(SoundproofError, match="no Dask scheduler answers"):
        run(tmp_path, scheduler="tcp://127.0.0.1:9")
