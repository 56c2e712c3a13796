"""Metering: counts equal those of independent autograd hooks, for our attacks and for other people's."""

import numpy as np
import pytest
import torch
from torch import nn

from soundproof import Ball, Budget, BudgetExhaustedError, Goal, MeteringError, Norm, Victim
from soundproof_attacks.bim import BimA, BimB
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.noise import Noise

CLIPS, CLASSES = 12, 3


class Counted(nn.Module):
    """A small network that counts, by itself and per clip, what passes through it.

    Clips are told apart by a marker in their first value, which the network ignores.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(24, CLASSES)
        self.forwards = np.zeros(CLIPS, int)
        self.backwards = np.zeros(CLIPS, int)

    def forward(self, images):
        flat = images.flatten(1)
        clips = (flat[:, 0].detach() * 100).round().long().numpy()
        np.add.at(self.forwards, clips, 1)
        if flat.requires_grad:
            flat.register_hook(lambda _: np.add.at(self.backwards, clips, 1))
        return self.layer(flat[:, 1:])


@pytest.fixture
def module():
    return Counted()


@pytest.fixture
def clean():
    torch.manual_seed(1)
    images = torch.rand(CLIPS, 1, 5, 5)
    images[:, 0, 0, 0] = torch.arange(CLIPS) / 100
    return images


@pytest.fixture
def labels(module, clean):
    with torch.no_grad():
        return module.layer(clean.flatten(1)[:, 1:]).argmax(dim=1)


def run(attack, module, clean, labels, radius=1.0, **rest):
    module.forwards[:] = module.backwards[:] = 0
    victim = Victim(module, clean, Goal(labels), **rest)
    generator = torch.Generator().manual_seed(0)
    return victim, attack.perturb(victim, Ball(Norm.L2, radius), generator)


@pytest.mark.parametrize(
    "attack", [Fgsm(), BimA(steps=30), BimB(steps=7), Noise(), Fgsm(norm=Norm.LINF)], ids=repr
)
def test_counts_equal_independent_hooks(attack, module, clean, labels):
    victim, _ = run(attack, module, clean, labels)
    np.testing.assert_array_equal(victim.ledger.forwards, module.forwards)
    np.testing.assert_array_equal(victim.ledger.backwards, module.backwards)
    assert victim.ledger.unattributed_backwards == 0


def test_early_stopping_spends_less_on_easy_clips(module, clean, labels):
    victim, examples = run(BimA(steps=40), module, clean, labels, radius=2.0)
    assert len(np.unique(victim.ledger.backwards)) > 1, "the clips must differ in difficulty for this test"
    np.testing.assert_array_equal(victim.ledger.backwards, module.backwards)
    with torch.no_grad():
        assert (module(examples).argmax(dim=1) != labels).all()


def test_a_jacobian_costs_a_row_a_class(module, clean, labels):
    victim = Victim(module, clean, Goal(labels))
    images = clean.clone().requires_grad_()
    logits = victim(images)
    for k in range(CLASSES):
        torch.autograd.grad(logits[:, k].sum(), images, retain_graph=True)
    np.testing.assert_array_equal(victim.ledger.forwards, 1)
    np.testing.assert_array_equal(victim.ledger.backwards, CLASSES)


def test_gradients_through_a_change_of_variable_count(module, clean, labels):
    victim = Victim(module, clean, Goal(labels))
    variable = torch.atanh((clean * 2 - 1) * 0.99).requires_grad_()
    victim((variable.tanh() + 1) / 2).sum().backward()
    np.testing.assert_array_equal(victim.ledger.backwards, 1)


def test_batches_of_another_size_count_in_total(module, clean, labels):
    victim = Victim(module, clean, Goal(labels))
    images = clean[:5].clone().requires_grad_()
    victim(images).sum().backward()
    assert victim.ledger.unattributed_forwards == victim.ledger.unattributed_backwards == 5
    assert victim.ledger.gradients.sum() == pytest.approx(5)
    assert victim.ledger.queries.sum() == pytest.approx(5)


def test_selected_and_repeated_clips_write_into_one_ledger(module, clean, labels):
    victim = Victim(module, clean, Goal(labels))
    view = victim.select(torch.tensor([3, 3, 7])).select(torch.tensor([0, 2]))
    assert len(view) == 2
    view.gradient(view.clean)
    victim.select(labels == labels[0]).gradient(clean[labels == labels[0]])
    expected = np.isin(np.arange(CLIPS), [3, 7]).astype(int) + (labels == labels[0]).numpy()
    np.testing.assert_array_equal(victim.ledger.backwards, expected)
    twice = victim.select(torch.tensor([5, 5]))
    twice(twice.clean)
    assert victim.ledger.forwards[5] == 2 + int(labels[5] == labels[0])


@pytest.mark.filterwarnings("ignore:.torch.jit.script:FutureWarning")
def test_uncountable_derivatives_are_refused(clean, labels):
    victim = Victim(nn.Sequential(nn.Flatten(), nn.Linear(25, CLASSES)), clean, Goal(labels))
    images = clean.clone().requires_grad_()
    logits = victim(images)
    with pytest.raises(MeteringError, match="vmap"):
        torch.autograd.grad(
            logits, images, torch.eye(CLASSES)[:, None].expand(-1, CLIPS, -1), is_grads_batched=True
        )
    with pytest.raises(MeteringError, match=r"torch\.func"):
        torch.func.grad(lambda images: victim(images).sum())(clean)
    with torch.autograd.forward_ad.dual_level(), pytest.raises(MeteringError, match="forward-mode"):
        victim(torch.autograd.forward_ad.make_dual(clean, torch.ones_like(clean)))


def test_stays_in_evaluation_mode():
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.9))
    victim = Victim(module, torch.rand(4, 3), Goal(torch.zeros(4).long()))
    victim.train()
    assert not module[1].training
    assert torch.equal(victim(victim.clean), victim(victim.clean))


class TestTrace:
    def test_records_every_iterate_inside_the_box(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels))
        outside = clean.clone()
        outside[2, 0, 1:] += 1
        victim(clean)
        victim.gradient(outside)
        victim(clean)
        table = victim.trace.table()
        assert len(table.clip) == 3 * CLIPS - 1
        second = table.gradients[table.clip == 1]
        assert second.tolist() == [0, 0, 1]
        assert table.queries[table.clip == 2].tolist() == [1, 3]

    def test_measures_like_a_plain_loop(self, module, clean, labels):
        victim, _ = run(BimB(steps=3), module, clean, labels)
        table = victim.trace.table()
        images = clean
        for step in range(3):
            with torch.no_grad():
                logits = module(images)
            now = table.gradients == step
            best_wrong = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
            np.testing.assert_allclose(
                table.score[now], best_wrong - logits.gather(1, labels[:, None])[:, 0], rtol=1e-5, atol=1e-6
            )
            np.testing.assert_allclose(
                table.l2[now], (images - clean).flatten(1).norm(dim=1), rtol=1e-5, atol=1e-6
            )
            gradient = Victim(module, clean, Goal(labels)).gradient(images).gradient
            images = Ball(Norm.L2, 1.0).project(images + Ball(Norm.L2, 0.25).ascent(gradient), clean)

    def test_can_be_left_out(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels), traced=False)
        victim(clean)
        with pytest.raises(ValueError, match="no trace"):
            _ = victim.trace


class TestBudget:
    def test_stops_the_attack_and_keeps_the_best(self, module, clean, labels):
        limits = Budget(max_gradients=4)
        victim = Victim(module, clean, Goal(labels), limits, ball=Ball(Norm.L2, 1.0))
        with pytest.raises(BudgetExhaustedError, match="4 gradients"):
            BimB(steps=10).perturb(victim, Ball(Norm.L2, 1.0), torch.Generator())
        assert victim.ledger.backwards.max() == 4
        with torch.no_grad():
            before, after = module(clean), module(victim.best)
        gain = torch.nn.functional.cross_entropy(after, labels) - torch.nn.functional.cross_entropy(before, labels)
        assert gain > 0
        assert Ball(Norm.L2, 0).sizes(victim.best - clean).max() <= 1 + 1e-5

    def test_counts_queries(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels), Budget(max_queries=2))
        victim(clean)
        victim.select(torch.tensor([0]))(clean[:1])
        with pytest.raises(BudgetExhaustedError, match="2 queries"):
            victim(clean)
        assert victim.ledger.forwards.max() == 2

    def test_refuses_a_second_pass_through_one_graph(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels), Budget(max_gradients=1))
        images = clean.clone().requires_grad_()
        logits = victim(images)
        torch.autograd.grad(logits[:, 0].sum(), images, retain_graph=True)
        with pytest.raises(BudgetExhaustedError):
            torch.autograd.grad(logits[:, 1].sum(), images)

    def test_the_smallest_example_counts_without_a_ball(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels), Budget(max_queries=100))
        far = BimB(steps=20).perturb(victim, Ball(Norm.L2, 3.0), torch.Generator())
        near = BimA(steps=60, step_size=0.01).perturb(victim, Ball(Norm.L2, 3.0), torch.Generator())
        with torch.no_grad():
            fooled = victim(far).argmax(dim=1) != labels
            fooled &= victim(near).argmax(dim=1) != labels
        assert fooled.all()
        sizes = Ball(Norm.L2, 0).sizes
        assert (sizes(victim.best - clean) <= sizes(near - clean) + 1e-6).all()

    def test_best_of_repeated_clips_is_the_best_of_all_copies(self, module, clean, labels):
        victim = Victim(module, clean, Goal(labels), Budget(max_queries=100), ball=Ball(Norm.L2, 10.0))
        rows = torch.tensor([4, 4, 4])
        stacked = victim.select(rows)
        torch.manual_seed(3)
        tries = torch.rand(3, 1, 5, 5)
        tries[:, 0, 0, 0] = clean[4, 0, 0, 0]
        stacked(tries)
        with torch.no_grad():
            logits = module(tries)
        scores = logits.scatter(1, labels[rows][:, None], -torch.inf).amax(dim=1) - logits[:, labels[4]]
        assert torch.equal(victim.best[4], tries[scores.argmax()])


class TestOtherLibraries:
    """Attacks of ART see only a module; the counts of the meter and of independent hooks must agree."""

    def classifier(self, victim):
        from art.estimators.classification import PyTorchClassifier

        return PyTorchClassifier(
            victim,
            nn.CrossEntropyLoss(),
            input_shape=(1, 5, 5),
            nb_classes=CLASSES,
            clip_values=(0, 1),
            device_type="cpu",
        )

    @pytest.mark.filterwarnings("ignore")
    def test_pgd(self, module, clean, labels):
        from art.attacks.evasion import ProjectedGradientDescentPyTorch

        module.forwards[:] = 0
        victim = Victim(module, clean, Goal(labels))
        attack = ProjectedGradientDescentPyTorch(
            self.classifier(victim), norm=2, eps=1.0, eps_step=0.3, max_iter=20, batch_size=CLIPS, verbose=False
        )
        attack.generate(clean.numpy(), labels.numpy())
        np.testing.assert_array_equal(victim.ledger.backwards, module.backwards)
        np.testing.assert_array_equal(victim.ledger.forwards, module.forwards)
        np.testing.assert_array_equal(victim.ledger.backwards, 20)

    @pytest.mark.filterwarnings("ignore")
    def test_deepfool(self, module, clean, labels):
        from art.attacks.evasion import DeepFool

        module.forwards[:] = 0
        victim = Victim(module, clean, Goal(labels))
        DeepFool(self.classifier(victim), max_iter=5, batch_size=CLIPS, verbose=False).generate(clean.numpy())
        assert victim.ledger.gradients.sum() == module.backwards.sum() > 0
        assert victim.ledger.queries.sum() == module.forwards.sum()
