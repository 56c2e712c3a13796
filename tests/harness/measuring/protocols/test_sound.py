"""Attacks as sound and through channels, on toys whose every number is known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from soundproof import Channel
from soundproof.contract.registry import Registered
from soundproof.digest import canonical
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.errors import SuiteError
from soundproof.measuring.recordings import Recordings
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.types import Status
from toys import ToyPicture, toy_registry, toy_suite


@dataclass(frozen=True)
class Halving(Channel):
    """Half as loud, or what the mistake makes of it."""

    id: ClassVar[str] = "toy-half"
    version: ClassVar[str] = "1"
    gain: float = 0.5
    mistake: str = "none"

    def carry(self, waveforms, rate, generator):
        match self.mistake:
            case "length":
                return waveforms[:, 1:]
            case "nan":
                return waveforms * float("nan")
        return waveforms * self.gain


@dataclass(frozen=True)
class Blurring(Channel):
    """Noise that the generator gives."""

    id: ClassVar[str] = "toy-noise"
    version: ClassVar[str] = "1"

    def carry(self, waveforms, rate, generator):
        return (waveforms + 0.2 * torch.randn(waveforms.shape, generator=generator)).clamp(-1, 1)


@dataclass(frozen=True)
class Lossy(ToyPicture):
    """A picture whose sounds keep only a share of a change."""

    id: ClassVar[str] = "toy-lossy"
    kept: float = 0.5

    def fit(self, waveforms):
        module, kept = super().fit(waveforms), self.kept
        whole = module.inverse
        module.inverse = lambda pictures, reference: reference + kept * (whole(pictures, None) - reference)
        return module


@dataclass(frozen=True)
class Closed(ToyPicture):
    """A picture without a way back."""

    id: ClassVar[str] = "toy-closed"
    inverse: ClassVar[None] = None


pytestmark = pytest.mark.slow

REGISTRY = toy_registry()
for toy in (Halving, Blurring, Lossy, Closed):
    REGISTRY.components[toy.kind, toy.id] = Registered(toy, "toys", "1")


def run(folder, **changes):
    suite = load_suite(toy_suite(**changes), REGISTRY)
    runner = Runner(REGISTRY, Environment("cpu", "", threads=1), Store(folder / "cache"), folder)
    found = runner.run(make_plan(suite, folder))
    files.write(found, folder / "out")
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(
        tmp_path_factory.mktemp("sound"),
        representations=["toy-picture", "toy-lossy", "toy-closed"],
        attacks=["fgsm", "noise"],
        channels=["toy-half", {"id": "toy-half", "gain": 0.0}, "toy-noise"],
        protocols=["clean", "bounded", "realised", "channels"],
    )


def one(found, protocol, representation="toy-picture", attack=None, channel=None):
    coordinate = None if channel is None else canonical(channel if isinstance(channel, dict) else {"id": channel})
    (row,) = [
        row
        for row in found.rows
        if row.protocol == protocol
        and row.representation["id"] == representation
        and (row.attack or {}).get("id") == attack
        and (row.channel and canonical(row.channel)) == coordinate
    ]
    return row


def test_what_sounds_as_it_looks_survives_whole(whole):
    picture, sound = (one(whole, protocol, attack="fgsm") for protocol in ("bounded", "realised"))
    before, after = whole.fields(picture), whole.fields(sound)
    np.testing.assert_array_equal(before["fooled"], after["fooled"])
    np.testing.assert_allclose(before["score"], after["score"], atol=1e-4)
    np.testing.assert_allclose(before["l2"], after["l2"], rtol=1e-4)
    assert sound.metrics["survival"].value == 1
    assert sound.metrics["survival"].n == before["fooled"].sum()
    assert sound.metrics["fooling_rate"].value == pytest.approx(picture.metrics["fooling_rate"].value)
    assert after["missed"].max() < 1e-5


def test_what_loses_half_of_the_change_survives_in_part(whole):
    picture, sound = (one(whole, protocol, "toy-lossy", "fgsm") for protocol in ("bounded", "realised"))
    before, after = whole.fields(picture), whole.fields(sound)
    np.testing.assert_allclose(after["l2"], before["l2"] / 2, rtol=1e-3)
    np.testing.assert_allclose(after["missed"], before["l2"] / 2, rtol=1e-3)
    fooled = before["fooled"] > 0
    assert sound.metrics["survival"].value == pytest.approx(after["fooled"][fooled].mean())
    assert sound.metrics["survival"].value < 1


def test_the_ratio_is_that_of_the_sound(whole):
    """The picture is (x + 1) / 2, so that ‖x′ − x‖₂ of the sound is twice that of the picture."""
    from toys import RATE, ToyDataset

    row = one(whole, "realised", attack="fgsm")
    fields, clips = whole.fields(row), ToyDataset().waveforms(None, RATE)
    size = np.linalg.norm(clips[fields["clip"]], axis=1)
    np.testing.assert_allclose(fields["snr"], 20 * np.log10(size / (2 * fields["l2"])), atol=1e-3)
    fooled = fields["fooled"] > 0
    assert row.metrics["snr"].value == pytest.approx(fields["snr"][fooled].mean(), rel=1e-5)
    assert ((fields["audibility"] >= 0) & (fields["audibility"] <= 1)).all()
    assert "loudness_change" not in row.metrics, "the clips are too short to have a loudness"


def test_without_a_way_back_cells_are_skipped_with_the_reason(whole):
    for row in (
        one(whole, "realised", "toy-closed", "fgsm"),
        one(whole, "channels", "toy-closed", "fgsm", "toy-half"),
    ):
        assert (row.status, row.reason) == (Status.SKIPPED, "toy-closed has no way back to sound")
    assert one(whole, "channels", "toy-closed", channel="toy-half").status is Status.OK


def test_a_channel_that_breaks_the_classifier_is_no_defense(whole):
    """Of silence all clips are the middle class: only those are heard, and only those count."""
    silence = {"id": "toy-half", "gain": 0.0}
    alone, attacked = (
        one(whole, "channels", channel=silence),
        one(whole, "channels", attack="fgsm", channel=silence),
    )
    fields, unattacked = whole.fields(attacked), whole.fields(alone)
    assert alone.metrics["accuracy"].value == pytest.approx(1 / 3, abs=0.1)
    assert attacked.metrics["accuracy"] == alone.metrics["accuracy"]
    right = unattacked["clip"][unattacked["label"] == unattacked["prediction"]]
    np.testing.assert_array_equal(fields["heard"] > 0, np.isin(fields["clip"], right))
    counted = (fields["heard"] > 0) & (fields["source_fooled"] > 0)
    assert attacked.metrics["survival"].value == fields["fooled"][counted].mean() == 0
    assert attacked.metrics["survival"].n == counted.sum()
    assert attacked.metrics["fooling_rate"].n == (fields["heard"] > 0).sum()
    assert fields["fooled"][fields["heard"] == 0].all()


def test_what_arrives_is_scored_again(whole):
    before = whole.fields(one(whole, "realised", attack="fgsm"))
    row = one(whole, "channels", attack="fgsm", channel="toy-half")
    after = whole.fields(row)
    np.testing.assert_array_equal(before["clip"], after["clip"])
    np.testing.assert_array_equal(before["fooled"], after["source_fooled"])
    assert not np.allclose(before["score"], after["score"])


def test_a_clip_and_its_attacked_copy_meet_the_same_channel():
    recordings = Recordings(100, torch.zeros(3, 20), torch.nn.Identity())
    clips = torch.linspace(-0.4, 0.4, 60).reshape(3, 20)
    whole = recordings.through(Blurring(), "name", clips, np.array([4, 7, 9]))
    attacked = recordings.through(Blurring(), "name", clips[[2, 1]] + 0.1, np.array([9, 7]))
    noise = (whole - clips)[[2, 1]]
    assert torch.allclose(attacked - clips[[2, 1]] - 0.1, noise, atol=1e-6)
    assert not torch.allclose(noise[0], noise[1])
    assert not torch.allclose(recordings.through(Blurring(), "other", clips, np.array([4, 7, 9])), whole)


def test_rows_without_a_channel_are_written_as_before(whole, tmp_path):
    lines = {row.key: row.to_json() for row in whole.rows}
    for row in whole.rows:
        assert ("channel" in lines[row.key]) is (row.protocol == "channels")
    files.write(whole, tmp_path)
    again = files.read(tmp_path)
    assert [row.to_json() for row in again.rows] == [row.to_json() for row in whole.rows]
    assert len({row.key for row in again.rows}) == len(whole.rows)


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        ("length", "toy-half made sounds (1, 19) of clips (1, 20)"),
        ("nan", "toy-half made NaN or infinite samples"),
    ],
)
def test_a_channel_that_makes_no_sound_fails_its_cells_alone(tmp_path, mistake, reason):
    found = run(
        tmp_path,
        attacks=["fgsm"],
        channels=[{"id": "toy-half", "mistake": mistake}],
    )
    broken = [row for row in found.rows if row.status.broken]
    assert {row.protocol for row in broken} == {"channels"}
    assert all(reason in row.reason for row in broken)
    assert one(found, "realised", attack="fgsm").status is Status.OK


@pytest.mark.parametrize(
    "changes",
    [{"channels": ["toy-half"], "protocols": ["clean"]}, {"protocols": ["clean", "channels"]}],
)
def test_channels_and_their_protocol_come_together(changes):
    with pytest.raises(SuiteError, match='channels: name at least one and "channels" among the protocols'):
        load_suite(toy_suite(**changes), REGISTRY)


def test_a_suite_gets_the_protocols_of_sound_only_with_channels():
    plain, played = (load_suite(toy_suite(**changes), REGISTRY) for changes in ({}, {"channels": ["toy-half"]}))
    assert [protocol.id for protocol in plain.protocols] == ["clean", "bounded", "reach", "transfer", "certified"]
    assert [protocol.id for protocol in played.protocols][-2:] == ["realised", "channels"]
    assert "channels" not in plain.document


def test_the_same_run_gives_the_same_bytes(tmp_path):
    changes = {"attacks": ["fgsm"], "channels": ["toy-noise"]}
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        run(folder, **changes)
    for name in ("results.jsonl", "samples.safetensors"):
        first, second = ((folder / "out" / name).read_bytes() for folder in folders)
        assert first == second
