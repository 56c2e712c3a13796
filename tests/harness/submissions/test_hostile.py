"""Submissions that mean harm, or are broken: each is refused with one message, and nothing of it is used."""

import io
import json
import pickle
import struct
import zipfile

import pytest
import torch

from soundproof.cli import main
from soundproof.errors import SoundproofError
from soundproof.submissions import bundle
from soundproof.submissions.bundle import EXAMPLES, MANIFEST, WEIGHTS
from soundproof.submissions.verifying import verify

pytestmark = pytest.mark.slow


class Exploding:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def refused(path, runner, **options):
    with pytest.raises(SoundproofError) as error:
        verify(bundle.read(path), runner, **options)
    assert len(error.value.problems) == 1, error.value.problems
    (problem,) = error.value.problems
    assert str(path) in problem
    return problem


def saved(protocol):
    return pickle.dumps(Exploding(), protocol=protocol)


def torch_saved():
    content = io.BytesIO()
    torch.save({"weight": torch.zeros(1)}, content)
    return content.getvalue()


@pytest.mark.parametrize("content", [saved(2), saved(4), torch_saved()], ids=["pickle2", "pickle4", "torch"])
@pytest.mark.parametrize("member", [EXAMPLES, WEIGHTS])
def test_a_pickle_is_never_opened(forged, elsewhere, content, member):
    assert f"{member} is a pickle, which is never opened" in refused(
        forged("weighty", members={member: content}), elsewhere
    )


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("../../evil.py", "leads out of the archive"),
        ("/etc/passwd", "leads out of the archive"),
        ("..\\evil.py", "leads out of the archive"),
        ("C:\\evil.py", "leads out of the archive"),
        ("setup.py", "is no member of a bundle"),
        ("weights.pt", "is no member of a bundle"),
    ],
)
def test_other_members_are_refused(forged, elsewhere, tmp_path, member, said):
    before = set(tmp_path.rglob("*"))
    path = forged(members={member: b"print('evil')"})
    assert said in refused(path, elsewhere)
    assert set(tmp_path.rglob("*")) - before == {path}


def test_a_member_that_would_grow_is_refused(submitted, elsewhere, tmp_path):
    path = tmp_path / "bomb.bundle"
    with zipfile.ZipFile(submitted / "plain.bundle") as there, zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, there.read(MANIFEST))
        archive.writestr(EXAMPLES, bytes(50_000_000), compress_type=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    assert "is compressed, and could grow beyond measure" in refused(path, elsewhere)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(submitted, elsewhere, tmp_path, forged):
    path = tmp_path / "twice.bundle"
    with zipfile.ZipFile(submitted / "plain.bundle") as there, zipfile.ZipFile(path, "w") as archive:
        for name in (MANIFEST, EXAMPLES, EXAMPLES):
            archive.writestr(name, there.read(name))
    assert "is in it twice" in refused(path, elsewhere)
    doubled = b'{"schema": 1, "schema": 1}'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, doubled)
        archive.writestr(EXAMPLES, b"")
    assert "'schema' stands in it twice" in refused(path, elsewhere)
    header = b'{"clip":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},"clip":{}}'
    content = struct.pack("<Q", len(header)) + header + bytes(4)
    assert "'clip' stands in it twice" in refused(forged(members={EXAMPLES: content}), elsewhere)


@pytest.mark.parametrize("length", [10 << 30, 2**63, 0])
def test_a_header_of_any_length_is_not_read(forged, elsewhere, length):
    content = struct.pack("<Q", length) + b"{}" * 100
    assert "no safetensors file: a header of" in refused(forged(members={EXAMPLES: content}), elsewhere)


def test_arrays_of_another_shape_or_type_are_refused(forged, elsewhere):
    def check(said, change):
        assert said in refused(forged(arrays=change), elsewhere)

    check("examples is F32", lambda tensors: {"examples": tensors["examples"][:, :, :-1]})
    check("examples is F32", lambda tensors: {"examples": tensors["examples"][:-1]})
    check("examples is F64", lambda tensors: {"examples": tensors["examples"].double()})
    check("clip is I64", lambda tensors: {"clip": tensors["clip"].long()})
    check("where examples, clip, gradients, queries are due", lambda tensors: {"extra": torch.zeros(1)})
    check("where examples, clip, gradients, queries are due", lambda tensors: {"clip": None})


def test_a_header_that_lies_about_its_arrays_is_refused(forged, elsewhere, submitted):
    from safetensors.torch import load

    with zipfile.ZipFile(submitted / "plain.bundle") as archive:
        content = archive.read(EXAMPLES)
    due = {name: list(value.shape) for name, value in load(content).items()}
    types = {"clip": "I32"}
    header = json.dumps(
        {n: {"dtype": types.get(n, "F32"), "shape": s, "data_offsets": [0, 1 << 40]} for n, s in due.items()}
    ).encode()
    lie = struct.pack("<Q", len(header)) + header + bytes(8)
    assert "is no safetensors file" in refused(forged(members={EXAMPLES: lie}), elsewhere)


def test_examples_that_are_none_are_refused(forged, cached):
    def check(said, value):
        def change(tensors):
            examples = tensors["examples"].clone()
            examples[0] = value(examples[0])
            return {"examples": examples}

        assert said in refused(forged(arrays=change), cached)

    check("NaN or infinite", lambda example: example * float("nan"))
    check("NaN or infinite", lambda example: example + float("inf"))
    check("leave the box", lambda example: example + 1)
    check("leave the box", lambda example: example - 2)
    check("leave the ball: l2 norm", lambda example: 1 - example)


def test_clips_that_are_others_are_refused(forged, elsewhere):
    def check(said, arrays=None, **clips):
        path = forged(arrays=arrays, manifest=lambda told: told["clips"].update(clips))
        assert said in refused(path, elsewhere)

    check("made from other clips than are here", checksum="0" * 16)
    check("other names than here", arrays=lambda tensors: {"clip": tensors["clip"].flip(0)})
    check("twice or are not tested", arrays=lambda tensors: {"clip": torch.zeros_like(tensors["clip"])})
    check("twice or are not tested", arrays=lambda tensors: {"clip": tensors["clip"] + 10_000})
    check("gradients must be finite", arrays=lambda tensors: {"gradients": tensors["gradients"] * float("nan")})
    check("queries must be finite", arrays=lambda tensors: {"queries": tensors["queries"] - 1e9})
    check("where 1 to", names=[])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"id": "module", "build": "antigravity:fly"}, "is code or files of one's own"),
        ({"id": "toy-linear"}, "unknown model 'toy-linear'"),
        ({"id": "mlp", "depth": "deep"}, "no parameter"),
    ],
)
def test_a_suite_that_needs_more_than_soundproof_is_refused(forged, elsewhere, model, said):
    import sys

    path = forged(manifest=lambda told: told["suite"].update(models=[model]))
    assert said in refused(path, elsewhere)
    assert "antigravity" not in sys.modules


def test_a_defense_that_reads_a_file_is_refused(forged, elsewhere, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    defense = {"id": "wavegan-inversion", "weights": str(tmp_path / "secret")}
    path = forged(manifest=lambda told: told["suite"].update(defenses=[defense]))
    assert "reads secret, which only its owner has" in refused(path, elsewhere)


def test_a_row_of_another_classifier_budget_or_protocol_is_refused(forged, elsewhere):
    def check(said, **row):
        assert said in refused(forged(manifest=lambda told: told["row"].update(row)), elsewhere)

    check("name another model", model={"id": "resnet18"})
    check("key is not that of its coordinates", attack={"id": "fgsm"})
    check("key is not that of its coordinates", key="0" * 32)
    check("no attack within a ball", protocol="clean", attack=None)
    check("its row is none of this version", metrics={"fooling_rate": {"value": 2}})
    path = forged(manifest=lambda told: told["suite"]["budget"].update(epsilon=99.0))
    assert "key is not that of its coordinates and budget" in refused(path, elsewhere)


def test_weights_of_another_network_are_refused(forged, elsewhere):
    def check(said, change):
        assert said in refused(forged("weighty", weights=change), elsewhere)

    def first(tensors):
        return min(name for name, value in tensors.items() if value.dim())

    check("not of the network that its manifest tells of", lambda t: {first(t): t[first(t)] + 1})
    honest = forged("weighty", weights=lambda t: {first(t): t[first(t)][:1]})
    from soundproof.submissions.packing import weights_digest

    found = bundle.read(honest).tensors(WEIGHTS)
    path = forged(
        "weighty",
        weights=lambda t: {first(t): t[first(t)][:1]},
        manifest=lambda told: told.update(network=weights_digest(found)),
    )
    assert "size mismatch" in refused(path, elsewhere)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"no archive", bytes(1000)])
def test_what_is_no_archive_is_refused(tmp_path, elsewhere, content):
    path = tmp_path / "odd.bundle"
    path.write_bytes(content)
    assert "no bundle of `bench pack`" in refused(path, elsewhere)


def test_a_member_that_was_changed_is_refused(submitted, elsewhere, tmp_path, forged):
    content = (submitted / "plain.bundle").read_bytes()
    path = tmp_path / "bent.bundle"
    middle = content.index(b"data_offsets") + 3000
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert "damaged" in refused(path, elsewhere)
    other = forged(manifest=lambda told: told["files"].update({EXAMPLES: "0" * 64}))
    assert "its SHA-256 differs" in refused(other, elsewhere)
    path.write_bytes(content[: len(content) // 2])
    assert "damaged" in refused(path, elsewhere)


def test_the_shell_says_so_in_a_line_and_two(forged, tmp_path, capsys):
    path = forged(members={"../evil.py": b"evil"})
    assert main(["verify", str(path), "--cache", str(tmp_path / "cache")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("bench: 1 problem:")
    assert "leads out of the archive" in said
    assert "Traceback" not in said
