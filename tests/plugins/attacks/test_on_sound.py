"""Attacks that work on sound alone: what is masked, and what is expected of a channel."""

import pytest
import torch
from torch import nn

from attack_cases import REGISTRY, build
from soundproof import Ball, Goal, Masking, Norm, Victim
from soundproof.conformance import checks_of, promised

RATE, SAMPLES = 8000, 8000
CASES = [
    build("psychoacoustic", steps=4),
    build("psychoacoustic", steps=4, targeted=True, allowance=6.0),
    build("eot-pgd", steps=3, draws=2, channel="shift"),
    build("eot-pgd", steps=2, draws=1, channel="mp3", targeted=True),
]


@pytest.mark.parametrize("attack", CASES, ids=lambda each: f"{each.id}-{each.is_targeted}")
@pytest.mark.parametrize("name", promised("attack"))
def test_they_keep_their_promises(attack, name):
    next(check for check in checks_of(attack, registry=REGISTRY) if check.name == name)()


def tones(*parts):
    """Sines of frequency, Hz, and level, dB, as attacks see them."""
    t = torch.arange(SAMPLES) / RATE
    sound = sum(10 ** (level / 20) * torch.sin(2 * torch.pi * frequency * t) for frequency, level in parts)
    return (sound[None, None] + 1) / 2


class Bands(nn.Module):
    """Classes by the energy of two bands, one of which lies next to the clip's tone and one far from it."""

    def __init__(self):
        super().__init__()
        t = torch.arange(SAMPLES) / RATE
        self.near, self.far = (torch.sin(2 * torch.pi * frequency * t) for frequency in (1060, 3000))
        self.gain = 40.0

    def forward(self, inputs):
        sound = 2 * inputs[:, 0] - 1
        heard = (sound @ self.near + sound @ self.far) / SAMPLES * self.gain
        return torch.stack(
            [0.05 - heard, heard - 0.05, torch.full_like(heard, -1e4), torch.full_like(heard, -1e4)], 1
        )


def fooled(attack, module, clean, radius, seed=0):
    labels = module(clean).argmax(dim=1)
    victim = Victim(module, clean.clone(), Goal(labels), rate=RATE)
    found = attack.perturb(victim, Ball(Norm.L2, radius), torch.Generator().manual_seed(seed))
    return found, module(found).argmax(dim=1) != labels, victim


def share(clean, found):
    return Masking(RATE).audible_share(2 * clean[:, 0] - 1, 2 * found[:, 0] - 1).item()


def test_what_is_masked_fools_unheard_where_plain_descent_is_heard():
    clean = tones((1000, -6))
    loud, by_descent, _ = fooled(build("pgd", steps=10, random_start=False), Bands(), clean, 1.0)
    hidden, by_masking, _ = fooled(build("psychoacoustic", steps=10), Bands(), clean, 1.0)
    assert by_descent.all()
    assert by_masking.all()
    assert share(clean, loud) > 0.4, "half of the plain change lies at 3 kHz, which nothing hides"
    assert share(clean, hidden) < 0.1
    spectrum = torch.fft.rfft((hidden - clean)[0, 0]).abs()
    assert spectrum[1060] > 20 * spectrum[3000]


def test_no_more_than_what_is_masked_is_used_whatever_the_ball_allows():
    clean = tones((1000, -6))
    found, _, _ = fooled(build("psychoacoustic", steps=10), Bands(), clean, 100.0)
    louder, _, _ = fooled(build("psychoacoustic", steps=10, allowance=9.0), Bands(), clean, 100.0)
    sizes = [(each - clean).norm().item() for each in (found, louder)]
    assert sizes[0] < 10
    assert share(clean, found) < 0.1
    assert sizes[1] / sizes[0] == pytest.approx(10 ** (12 / 20), rel=0.2)


class Positioned(nn.Module):
    """Hears a click at one place: whatever moves the sound escapes it."""

    def forward(self, inputs):
        sound = 2 * inputs[:, 0] - 1
        heard = sound[:, 4000] * 8
        never = torch.full_like(heard, -1e4)
        return torch.stack([0.5 - heard, heard - 0.5, never, never], 1)


def test_who_expects_shifts_survives_them():
    from soundproof_channels.shift import Shift

    clean = tones((50, -40))
    plain, by_descent, _ = fooled(build("pgd", steps=20, random_start=False), Positioned(), clean, 0.6)
    expecting = build("eot-pgd", steps=20, draws=8, channel={"id": "shift", "seconds": 4 / RATE})
    found, by_expecting, _ = fooled(expecting, Positioned(), clean, 0.6)
    assert by_descent.all()
    assert by_expecting.all()
    channel, generator = Shift(seconds=4 / RATE), torch.Generator().manual_seed(9)
    surviving = []
    for example in (plain, found):
        played = channel.carry((2 * example[:, 0] - 1).expand(100, -1), RATE, generator)
        surviving.append((Positioned()((played[:, None] + 1) / 2).argmax(1) != 0).float().mean().item())
    assert surviving[0] < 0.3
    assert surviving[1] > 0.9


def test_every_draw_is_counted():
    _, _, victim = fooled(
        build("eot-pgd", steps=5, draws=3, channel="background"), Bands(), tones((1000, -6)), 0.1
    )
    assert victim.ledger.gradients.tolist() == [5 * 4]
    assert victim.ledger.queries.tolist() == [5 * 4 + 4]


def test_a_channel_without_gradients_is_passed_backwards_as_if_it_changed_nothing():
    clean = tones((1000, -6))
    coded, by_expecting, _ = fooled(build("eot-pgd", steps=10, draws=1, channel="pcm16"), Bands(), clean, 1.0)
    plain, _, _ = fooled(build("pgd", steps=10, random_start=False), Bands(), clean, 1.0)
    assert by_expecting.all()
    assert (coded - plain).norm() < 0.05 * (plain - clean).norm()


def test_on_pictures_they_are_skipped_with_the_reason(tmp_path):
    from soundproof.planning.product import make_plan
    from soundproof.planning.suite import load_suite
    from toys import toy_registry, toy_suite

    suite = load_suite(toy_suite(attacks=["psychoacoustic", "eot-pgd"], protocols=["bounded"]), toy_registry())
    plan = make_plan(suite, tmp_path)
    assert not plan.cells
    assert {row.reason for row in plan.skipped} == {
        f'{name} works on the waveform: set domain = "waveform" in [budget]'
        for name in ("psychoacoustic", "eot-pgd")
    }
