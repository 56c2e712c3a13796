"""Small trees in exactly the layouts in which data sets are published, for tests that read them."""

import csv
import itertools

import numpy as np
import soundfile

# Rates, subtypes and channels that real distributions mix.
FORMATS = (
    (44100, "PCM_16", 2),
    (48000, "PCM_24", 2),
    (22050, "PCM_U8", 1),
    (96000, "FLOAT", 1),
    (8000, "ULAW", 1),
)


def write(path, level=0.1, rate=16000, subtype=None, channels=1, seconds=0.02, *, tone=False):
    """A file of a constant level, or of a tone whose pitch follows it, which says who it is: no two are copies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", rate, channels, subtype) as file:
        file.comment = "/".join(path.parts[-3:])
        times = np.arange(round(seconds * rate))[:, None] / rate
        sound = 0.5 * np.sin(2 * np.pi * (200 + 4000 * level) * times) if tone else level
        file.write(np.broadcast_to(sound, (len(times), channels)))
    return path


def urbansound8k(root, classes=10, folds=3, sources=2, **sound):
    """Two slices of each recording in a fold; every class in each fold. Returns the folder and its rows."""
    from soundproof_datasets.urbansound8k import CLASSES, COLUMNS

    folder = root / "UrbanSound8K"
    formats = itertools.cycle(FORMATS)
    rows = []
    for fold, target, source, take in itertools.product(
        range(1, folds + 1), range(classes), range(sources), range(2)
    ):
        recording = 1000 * fold + 10 * target + source
        name = f"{recording}-{target}-0-{take}.wav"
        rows.append([name, recording, 0.0, 4.0, 1, fold, target, CLASSES[target]])
        rate, subtype, channels = next(formats)
        write(folder / "audio" / f"fold{fold}" / name, 0.05 * (target + 1), rate, subtype, channels, **sound)
    (folder / "metadata").mkdir()
    table(folder / "metadata" / "UrbanSound8K.csv", COLUMNS, rows)
    return folder, rows


def table(path, header, rows):
    """A CSV file."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def fsdd(root, speakers=("ann", "bob", "cleo"), takes=7, **sound):
    """Every digit by every speaker."""
    folder = root / "free-spoken-digit-dataset"
    for digit, speaker, take in itertools.product(range(10), speakers, range(takes)):
        write(folder / "recordings" / f"{digit}_{speaker}_{take}.wav", 0.05 * (digit + 1), rate=8000, **sound)
    return folder


def speech_commands(root, speakers=12, **sound):
    """Digits and another word, two takes a speaker; speakers 0 and 1 are tested, 2 validates."""
    from soundproof_datasets.sc09 import CLASSES

    folder = root / "sc09"
    lists = {"testing_list.txt": [], "validation_list.txt": []}
    for word, speaker, take in itertools.product((*CLASSES, "bed"), range(speakers), range(2)):
        path = f"{word}/{speaker:08x}_nohash_{take}.wav"
        write(folder / path, **sound)
        for name, numbers in (("testing_list.txt", (0, 1)), ("validation_list.txt", (2,))):
            if speaker in numbers:
                lists[name].append(path)
    write(folder / "_background_noise_" / "pink_noise.wav")
    for name, paths in lists.items():
        (folder / name).write_text("".join(f"{path}\n" for path in paths))
    return folder


def sc09(root, clips=3, ident="{:04d}"):
    """As repacked for WaveGAN."""
    from soundproof_datasets.sc09 import CLASSES

    folder = root / "sc09"
    for part, word, number in itertools.product(("train", "valid", "test"), CLASSES, range(clips)):
        write(folder / part / f"{word.title()}_{ident.format(number)}.wav")
    return folder


def asvspoof(root, speakers=4, **sound):
    """Three parts with speakers of their own, one bona fide and two spoofed utterances each, and an enrolment."""
    folder = root / "LA"
    endings = {"train": "train.trn", "dev": "dev.trl", "eval": "eval.trl"}
    number = itertools.count(1000)
    (folder / "ASVspoof2019_LA_cm_protocols").mkdir(parents=True)
    (folder / "ASVspoof2019_LA_asv_protocols").mkdir()
    for part, ending in endings.items():
        lines = []
        for speaker in range(speakers):
            for system in ("-", "A01", "A02"):
                stem = f"LA_{part[0].upper()}_{next(number)}"
                name = f"LA_{part[0].upper()}{speaker:03d}"
                lines.append(f"{name} {stem} - {system} {'bonafide' if system == '-' else 'spoof'}\n")
                level = 0.1 if system == "-" else 0.4
                write(folder / f"ASVspoof2019_LA_{part}" / "flac" / f"{stem}.flac", level, **sound)
        (folder / "ASVspoof2019_LA_cm_protocols" / f"ASVspoof2019.LA.cm.{ending}.txt").write_text("".join(lines))
    write(folder / "ASVspoof2019_LA_dev" / "flac" / "LA_D_A77.flac")
    write(folder / "ASVspoof2019_LA_dev" / "flac" / "LA_D_A78.flac")
    enrolment = "LA_D000 LA_D_A77,LA_D_A78\n"
    (folder / "ASVspoof2019_LA_asv_protocols" / "ASVspoof2019.LA.asv.dev.male.trn.txt").write_text(enrolment)
    return folder


def regrouped(root, clips=3):
    """Folders of parts and classes."""
    folder = root / "LA"
    for part, name, number in itertools.product(("train", "dev", "eval"), ("bonafide", "spoof"), range(clips)):
        write(folder / part / name / f"LA_{number}.flac")
    return folder


def esc50(root, targets=range(50), recordings=4, takes="AB", **sound):
    """Eight clips of every class in each fold, two of one recording."""
    from soundproof_datasets.esc import COLUMNS, ESC10_TARGETS

    folder = root / "ESC-50-master"
    rows = []
    for target, fold, number, take in itertools.product(targets, range(1, 6), range(recordings), takes):
        source = 100_000 + 1000 * target + 10 * fold + number
        name = f"{fold}-{source}-{take}-{target}.wav"
        rows.append([name, fold, target, f"sound_{target:02d}", target in ESC10_TARGETS, source, take])
        write(folder / "audio" / name, 0.01 * (target + 1), rate=44100, **sound)
    (folder / "meta").mkdir()
    table(folder / "meta" / "esc50.csv", COLUMNS, rows)
    return folder


def esc10(root, **how):
    """The clips of ESC-10 alone."""
    from soundproof_datasets.esc import ESC10_TARGETS

    return esc50(root, ESC10_TARGETS, **how)


def class_folders(root, clips=3):
    """Anybody's own."""
    folder = root / "own"
    for name, number in itertools.product(("cat", "dog"), range(clips)):
        write(folder / name / f"{number}.wav", 0.1 * (number + 1), rate=8000)
    return folder


def two_speakers(root, sentences=10):
    """The same sentences by two voices, under the same names."""
    folder = root / "two-speakers"
    for number, (name, take) in enumerate(itertools.product(("me", "mom"), range(sentences))):
        write(folder / name / f"sen_{take}.wav", 0.02 * (number + 1), rate=8000, seconds=0.3, tone=True)
    return folder


def nothing(root):
    """What a generated data set needs."""
    return root


# Every layout of every data set: what lays it out, and the parameters to read it with.
LIMITED = {"id": "spoof", "transformations": ["limiter"]}
LAYOUTS = {
    "asvspoof2019-la": [(asvspoof, {"seconds": 0.1}), (regrouped, {"seconds": 0.1})],
    "esc10": [(esc10, {})],
    "esc50": [(esc50, {})],
    "folder": [(class_folders, {"path": "own", "seconds": 0.1})],
    "fsdd": [(fsdd, {})],
    "sc09": [(speech_commands, {}), (sc09, {})],
    "spoofed-speech": [
        (
            class_folders,
            {"path": "own", "seconds": 0.25, "augmentation": {"id": "spoof", "transformations": ["limiter"]}},
        )
    ],
    "synth": [(nothing, {"recordings": 5, "takes": 2})],
    "urbansound8k": [(urbansound8k, {})],
}
