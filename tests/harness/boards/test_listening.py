"""The page is listened to: what it embeds is decoded and measured, and `bench listen` writes the same sounds."""

import base64
import io
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pyloudnorm
import pytest
import soundfile

from soundproof.boards import draw
from soundproof.boards.listening import BITRATES, SOUNDS, amplification
from soundproof.cli import main
from soundproof.results import files

RATE, SECONDS, CLIP = 16000, 2, 3


def tone(frequency, level=0.3, seconds=SECONDS):
    return (level * np.sin(2 * np.pi * frequency * np.arange(seconds * RATE) / RATE)).astype(np.float32)


CLEAN, CHANGE = tone(440), tone(1500, 0.01)


def keep(bench, row, name, waveform, clip=CLIP):
    peak = np.float32(np.abs(waveform).max())
    sound = np.rint(waveform / peak * 32767).astype(np.int16)
    bench.sounds |= {f"{row.key}/{clip}/{name}": sound, f"{row.key}/{clip}/{name}_peak": np.array([peak])}


def attacked(bench, attack, change, *, fooled=True, **where):
    """A `realised` row of clips 0 … 4, one of them kept."""
    n = 5
    fields = {
        "clip": np.arange(n),
        "clean_score": np.full(n, -1.0),
        "score": np.where(fooled, 1.0, -1.0) * np.ones(n),
        "fooled": np.full(n, fooled, np.uint8),
        "source_fooled": np.ones(n, np.uint8),
        "prediction": np.full(n, int(fooled), np.int32),
        "tested": np.arange(n),
        **{name: np.full(n, 1.0) for name in ("l2", "linf", "l0")},
        "snr": np.full(n, 29.5),
        "segmental_snr": np.full(n, 28.0),
        "loudness_change": np.full(n, np.nan),
        "audibility": np.full(n, 0.25),
    }
    row = bench.row("realised", {"survival": (float(fooled), n)}, fields, attack=attack, **where)
    keep(bench, row, "change", change)
    return row


@pytest.fixture
def results(bench):
    bench.sounds = {}
    clean = bench.clean([0] * 5, [0] * 5)
    bench.sounds[f"{clean.key}/{CLIP}/rate"] = np.array([RATE], np.int32)
    keep(bench, clean, "sound", CLEAN)
    attacked(bench, "fgsm", CHANGE)
    attacked(bench, "pgd", 5 * CHANGE, fooled=False)
    found = bench.results()
    return files.Results(found.rows, found.samples, found.run, sounds=bench.sounds)


class Heard(HTMLParser):
    """Titles of the page's sounds with what is in them."""

    def __init__(self, text):
        super().__init__()
        self.sounds, self.images = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "audio":
            assert "controls" in attributes
            kind, _, content = attributes["src"].partition(";base64,")
            assert kind == "data:audio/mpeg"
            decoded, rate = soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="float32")
            assert rate == RATE
            self.sounds[attributes["aria-label"]] = decoded
        if tag == "img":
            self.images.append(attributes)


@pytest.fixture
def page(results):
    return draw(results).pages["index.html"]


@pytest.fixture
def heard(page):
    return Heard(page).sounds


def snr(clean, noisy):
    return 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))


# LAME lowers the level to 0.95.
LAME = 0.95


def test_what_the_page_plays_is_what_was_kept(heard):
    assert set(heard) == {
        "clip 3, clean",
        "clip 3, attacked by fgsm",
        "clip 3, what fgsm adds, +29 dB",
        "clip 3, attacked by pgd",
        "clip 3, what pgd adds, +15 dB",
    }
    wanted = {"clean": CLEAN, "attacked by fgsm": CLEAN + CHANGE, "attacked by pgd": CLEAN + 5 * CHANGE}
    for title, waveform in wanted.items():
        assert snr(LAME * waveform, heard[f"clip 3, {title}"][: len(waveform)]) > 25
    # Of the clean clip the attacked one differs by the 29.5 dB that the attack has.
    clean, fgsm = (heard[f"clip 3, {title}"] for title in ("clean", "attacked by fgsm"))
    assert snr(clean, fgsm) == pytest.approx(snr(CLEAN, CLEAN + CHANGE), abs=1.5)


@pytest.mark.parametrize(("attack", "factor", "raised"), [("fgsm", 1, 29), ("pgd", 5, 15)])
def test_what_attacks_add_is_raised_by_the_stated_decibels(heard, attack, factor, raised):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meter = pyloudnorm.Meter(RATE)
        levels = [
            meter.integrated_loudness(each.astype(np.float64))
            for each in (factor * CHANGE, heard[f"clip 3, what {attack} adds, +{raised} dB"])
        ]
    assert levels[1] - levels[0] == pytest.approx(raised + 20 * np.log10(LAME), abs=0.2)


@pytest.mark.parametrize("factor", [1e-3, 0.1, 1.0, 3.0])
def test_a_difference_is_as_loud_as_its_clip_and_never_cut(factor):
    raised = amplification(CLEAN, factor * CLEAN)
    assert isinstance(raised, int)
    louder = factor * CLEAN * 10 ** (raised / 20)
    assert np.abs(louder).max() <= 0.9
    assert 0 <= 20 * np.log10(np.linalg.norm(CLEAN) / np.linalg.norm(louder)) < 1.001
    click = np.zeros_like(CLEAN)
    click[100] = 0.5
    assert 0.5 * 10 ** (amplification(CLEAN, click) / 20) <= 0.9
    assert amplification(CLEAN, 0 * CLEAN) == 0


def test_what_each_attack_does_is_said(page):
    assert "heard as b; 29.5 dB SNR; 28.0 dB in segments; 25 % audible" in page
    assert "heard as a, which is right; 29.5 dB SNR" in page


def test_every_sound_has_its_waveform_and_its_spectrogram(page):
    from PIL import Image

    pieces = re.findall(r'<figure class="piece">.*?</figure>', page, flags=re.DOTALL)
    assert len(pieces) == 5
    assert all(piece.count("<path") == piece.count("<img") == piece.count("<audio") == 1 for piece in pieces)
    (image, *_) = Heard(page).images
    picture = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
    levels = np.asarray(picture.convert("L"))
    assert levels.shape == (64, 160)
    # The tone of 440 Hz is the darkest row, counted from below, of 64 up to 8 kHz.
    assert 63 - levels.mean(axis=1).argmin() == int(440 / 8000 * 64)


def test_the_page_lets_only_its_own_sounds_play(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "media-src data:" in policy
    assert "default-src 'none'" in policy


def test_the_same_sounds_give_the_same_bytes(results):
    assert draw(results).pages == draw(results).pages


def test_without_sounds_the_page_has_none(results):
    silent = files.Results(results.rows, results.samples, results.run)
    page = draw(silent).pages["index.html"]
    assert "<audio" not in page
    assert "<h3>Listen" not in page
    assert 'id="sound"' in page


def test_a_page_of_many_sounds_stays_within_its_size(bench):
    bench.sounds = {}
    long = tone(440, seconds=10)
    for number in range(12):
        clean = bench.clean([0] * 5, [0] * 5, model=f"model {number}")
        bench.sounds[f"{clean.key}/{CLIP}/rate"] = np.array([RATE], np.int32)
        keep(bench, clean, "sound", long)
        for attack in ("fgsm", "pgd"):
            attacked(bench, attack, 0.1 * long, model=f"model {number}")
    found = bench.results()
    page = draw(files.Results(found.rows, found.samples, found.run, sounds=bench.sounds)).pages["index.html"]
    sounds = re.findall(r'src="(data:audio[^"]*)"', page)
    assert SOUNDS / 2 < sum(map(len, sounds)) < 1.05 * SOUNDS
    assert len(sounds) == 60, "all are played, at a lower bitrate"
    bitrate = len(base64.b64decode(sounds[0].partition(",")[2])) * 8 / 10 / 1000
    assert min(BITRATES) <= round(bitrate) < max(BITRATES)


@pytest.fixture
def folder(results, tmp_path):
    files.write(results, tmp_path)
    return tmp_path


def test_listening_writes_the_clip_the_attack_and_what_it_adds(folder, results, capsys):
    row = next(row for row in results.rows if row.attack == {"id": "fgsm"})
    assert main(["listen", str(folder), row.key[:20], "--out", str(folder / "wavs")]) == 0
    paths = capsys.readouterr().out.split()
    names = ["clip_3-stft-clean.wav", "clip_3-stft-fgsm.wav", "clip_3-stft-fgsm-adds+29dB.wav"]
    assert [path.rsplit("/", 1)[1] for path in paths] == names
    wanted = [CLEAN, CLEAN + CHANGE, CHANGE * 10 ** (29 / 20)]
    for path, waveform in zip(paths, wanted, strict=True):
        written, rate = soundfile.read(path, dtype="float64")
        assert (rate, soundfile.info(path).subtype) == (RATE, "PCM_24")
        assert np.abs(written - waveform).max() < 2 / 32767


def test_of_an_unattacked_row_all_attacks_are_written(folder, results, capsys):
    row = next(row for row in results.rows if row.protocol == "clean")
    assert main(["listen", str(folder), row.key, "--clip", str(CLIP)]) == 0
    assert len(capsys.readouterr().out.split()) == 5
    assert len(list((folder / "sounds").iterdir())) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "no row has a key that begins with 'nothing'"),
        ([""], "no row has a key that begins with ''"),
        (["{key}", "--clip", "17"], "no sound of clip 17 was kept; there are sounds of 3 (clip 3)"),
    ],
)
def test_what_cannot_be_listened_to_says_why(folder, results, capsys, arguments, said):
    key = results.rows[0].key
    assert main(["listen", str(folder), *(each.format(key=key) for each in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_sounds_says_how_to_get_some(results, tmp_path, capsys):
    files.write(files.Results(results.rows, results.samples, results.run), tmp_path)
    assert main(["listen", str(tmp_path), results.rows[0].key]) == 2
    assert "run the suite again with --sounds" in capsys.readouterr().err


def test_a_run_without_its_sounds_leaves_none_of_an_earlier_one(folder, results):
    assert (folder / "sounds.safetensors").exists()
    assert files.read(folder).sounds.keys() == results.sounds.keys()
    files.write(files.Results(results.rows, results.samples, results.run), folder)
    assert not (folder / "sounds.safetensors").exists()
    assert not files.read(folder).sounds


def test_a_channel_of_several_values_has_a_column_for_each(results):
    clean = results.rows[0]
    rows = [
        files.Row(
            key=f"played {bitrate}",
            status=clean.status,
            reason=None,
            protocol="channels",
            channel={"id": "mp3", "bitrate": bitrate},
            metrics={"accuracy": files.Metric(1.0, 0.5, 1.0, 5)},
            **{name: getattr(clean, name) for name in ("dataset", "representation", "model", "defense")},
            attack=None,
            target=None,
            fold=0,
            seed=0,
        )
        for bitrate in (24.0, 64.0)
    ]
    samples = {f"{row.key}/{name}": array for row in rows for name, array in results.fields(clean).items()}
    samples |= {f"{row.key}/fooled": results.fields(clean)["label"] for row in rows}
    pages = draw(files.Results([*results.rows, *rows], {**results.samples, **samples}, results.run)).pages
    assert "mp3(bitrate=24.0)" in pages["sound.md"]
    assert "mp3(bitrate=64.0)" in pages["sound.md"]
    assert "mp3(bitrate=24.0)" in pages["sound.csv"]
