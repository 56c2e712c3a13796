"""The files for clusters in docs/scale render to what SLURM and Kubernetes take."""

import subprocess
import sys
from pathlib import Path

import pytest

SCALE = Path(__file__).parents[2] / "docs" / "scale"


def test_the_script_of_a_slurm_job():
    pytest.importorskip("dask_jobqueue")
    options = [
        "--partition",
        "gpu",
        "--gpus",
        "1",
        "--hours",
        "24",
        "--memory",
        "64GB",
        "--cores",
        "8",
        "--skip",
        "mem",
    ]
    command = [sys.executable, str(SCALE / "slurm.py"), "--show", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.splitlines()
    directives = [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")]
    assert {"-p gpu", "--cpus-per-task=8", "-t 24:00:00", "--gpus=1"} <= set(directives)
    assert not any("mem" in directive for directive in directives)
    (started,) = [line for line in lines if "dask_worker" in line]
    assert "--nthreads 1" in started
    assert "--lifetime 1435m" in started


def test_the_kubernetes_cluster():
    yaml = pytest.importorskip("yaml")
    claim, cluster = yaml.safe_load_all((SCALE / "kubernetes.yaml").read_text())
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    worker, scheduler = (cluster["spec"][part]["spec"] for part in ("worker", "scheduler"))
    (container,) = worker["containers"]
    assert container["args"][:3] == ["dask-worker", "--nthreads", "1"]
    assert container["image"] == scheduler["containers"][0]["image"] == "IMAGE"
    (mount,), (volume,) = container["volumeMounts"], worker["volumes"]
    assert mount["name"] == volume["name"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    ports = {port["name"] for port in scheduler["containers"][0]["ports"]}
    assert {port["targetPort"] for port in cluster["spec"]["scheduler"]["service"]["ports"]} == ports
