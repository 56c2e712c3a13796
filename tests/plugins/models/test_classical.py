"""Classical models: scikit-learn's own pipelines as oracle, exact gradients, and the state dict's way back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn import linear_model
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from soundproof import Examples, Recipe, Trainer, TrainingData
from soundproof_models.classical import GaussianSVM, LinearSVM, LogisticRegression
from soundproof_models.random_forest import RandomForest

pytestmark = pytest.mark.slow

SEED = 5
SEARCHED = [
    LogisticRegression(costs=(1.0,), penalties=("elastic-net",), components=20),
    LinearSVM(costs=(1.0,), components=20),
    GaussianSVM(costs=(1.0,), components=20),
]
ALL = [*SEARCHED, RandomForest(), RandomForest(trees=20, depth=64)]
VECTOR, PICTURE = (4,), (2, 6, 8)


def examples(shape, classes, clips, seed, rare=None, noise=0.1):
    """Overlapping classes: a mean of their own in every value, and noise."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.rand(classes, *shape, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(clips) % classes
    if rare is not None:
        labels = labels[(labels != rare) | (torch.arange(clips) < classes)]
    difference = noise * torch.randn(len(labels), *shape, generator=generator)
    return Examples((0.5 + 0.2 * (means[labels] - 0.5) + difference).clamp(0, 1), labels)


def problem(shape, classes, clips=240, rare=None, noise=0.1):
    train = examples(shape, classes, clips, 1, rare, noise)
    validation = examples(shape, classes, 90, 2, noise=noise)
    return TrainingData(train, validation, classes), examples(shape, classes, 200, 3, noise=noise)


def fitted(model, data):
    torch.manual_seed(0)
    module = model.build(data.shape, data.classes)
    assert model.fit(module, data, Trainer(Recipe(), SEED)) == []
    assert not module.training
    return module.requires_grad_(requires_grad=False)


def arrays(part):
    return part.inputs.flatten(1).double().numpy(), part.labels.numpy()


def oracle(classifier, width, *, equalised):
    steps = [StandardScaler()]
    if width:
        steps.append(PCA(width, random_state=SEED))
        if equalised:
            steps += [VarianceThreshold(1e-6), StandardScaler()]
    return make_pipeline(*steps, classifier)


def two_columns(scores):
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def agree(ours, theirs):
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(("shape", "width"), [(VECTOR, None), (PICTURE, 20)])
class TestAgainstScikitLearn:
    @pytest.mark.parametrize(("penalty", "share"), [("l1", 1.0), ("elastic-net", 0.5), ("l2", 0.0)])
    def test_logistic_regression(self, classes, shape, width, penalty, share):
        data, held_out = problem(shape, classes)
        model = LogisticRegression(costs=(10.0,), penalties=(penalty,), components=20)
        theirs = oracle(
            linear_model.LogisticRegression(
                C=10.0, l1_ratio=share, solver="saga", max_iter=10_000, random_state=SEED
            ),
            width,
            equalised=True,
        ).fit(*arrays(data.train))
        logits = fitted(model, data)(held_out.inputs)
        values, _ = arrays(held_out)
        agree(logits.softmax(dim=1), theirs.predict_proba(values))
        assert np.array_equal(logits.argmax(dim=1), theirs.predict(values))
        decision = theirs.decision_function(values)
        agree(logits, two_columns(decision / 2) if classes == 2 else decision)

    @pytest.mark.parametrize(("model", "kernel"), [(SEARCHED[1], "linear"), (SEARCHED[2], "rbf")])
    def test_support_vector_machines(self, classes, shape, width, model, kernel):
        data, held_out = problem(shape, classes)
        theirs = oracle(OneVsRestClassifier(SVC(kernel=kernel, C=10.0)), width, equalised=False)
        theirs.fit(*arrays(data.train))
        logits = fitted(replace(model, costs=(10.0,)), data)(held_out.inputs)
        values, _ = arrays(held_out)
        agree(logits, two_columns(theirs.decision_function(values)))
        assert np.array_equal(logits.argmax(dim=1), theirs.predict(values))

    @pytest.mark.parametrize("depth", [2, 64])
    def test_random_forest(self, classes, shape, width, depth):
        data, held_out = problem(shape, classes)
        theirs = RandomForestClassifier(30, max_depth=depth, random_state=SEED).fit(*arrays(data.train))
        logits = fitted(RandomForest(trees=30, depth=depth), data)(held_out.inputs)
        expected = theirs.predict_proba(arrays(held_out)[0])
        agree(logits.exp(), expected)
        # Of equally probable classes scikit-learn takes the first, up to the rounding of a mean.
        first, second = np.sort(expected)[:, :-3:-1].T
        clear = first - second > 1e-9
        assert clear.mean() > 0.8
        assert np.array_equal(logits.argmax(dim=1)[clear], theirs.predict(arrays(held_out)[0])[clear])


def test_a_random_forest_decides_at_its_thresholds_as_scikit_learn_does():
    data, _ = problem(VECTOR, 3)
    module = fitted(RandomForest(trees=10), data)
    theirs = RandomForestClassifier(10, max_depth=2, random_state=SEED).fit(*arrays(data.train))
    roots = [(tree.tree_.feature[0], tree.tree_.threshold[0]) for tree in theirs.estimators_]
    near = torch.full((3 * len(roots), 4), 0.5)
    for row, (value, threshold) in enumerate(roots):
        middle = np.float32(threshold)
        below, above = np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(1))
        near[3 * row : 3 * row + 3, value] = torch.tensor([below, middle, above])
    agree(module(near).exp(), theirs.predict_proba(near.numpy()))


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.id)
@pytest.mark.parametrize("shape", [VECTOR, PICTURE])
def test_gradients_are_finite_differences(model, shape):
    data, held_out = problem(shape, 3)
    module = fitted(model, data)
    inputs = held_out.inputs[:2].double().requires_grad_()
    assert torch.autograd.gradcheck(module, (inputs,))
    (gradient,) = torch.autograd.grad(module(inputs)[:, 0].sum(), inputs)
    assert gradient.abs().amax(dim=tuple(range(1, gradient.dim()))).min() > 0


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("shape", [VECTOR, PICTURE])
def test_the_same_bytes_after_storing_and_loading(model, classes, shape):
    data, held_out = problem(shape, classes)
    module = fitted(model, data)
    restored = model.build(data.shape, classes).requires_grad_(requires_grad=False)
    restored.load_state_dict(load(save(module.state_dict())))
    assert torch.equal(restored(held_out.inputs), module(held_out.inputs))
    assert module(held_out.inputs).dtype is torch.float32


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
def test_a_wrapped_classifier_is_loaded_too(model):
    data, held_out = problem(PICTURE, 3)
    module = torch.nn.Sequential(torch.nn.Identity(), fitted(model, data))
    restored = torch.nn.Sequential(
        torch.nn.Identity(), model.build(data.shape, 3).requires_grad_(requires_grad=False)
    )
    restored.load_state_dict(module.state_dict())
    assert torch.equal(restored(held_out.inputs), module(held_out.inputs))


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
def test_a_damaged_state_is_refused(model):
    data, _ = problem(VECTOR, 3)
    state = fitted(model, data).state_dict()
    name = next(iter(state))
    with pytest.raises(RuntimeError, match=name):
        model.build(data.shape, 3).load_state_dict({**state, name: state[name][None]})
    with pytest.raises(RuntimeError, match="Missing"):
        model.build(data.shape, 3).load_state_dict({key: state[key] for key in state if key != name})


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
def test_the_same_seed_gives_the_same_weights(model):
    data, _ = problem(PICTURE, 3)
    one, two = (save(fitted(model, data).state_dict()) for _ in range(2))
    assert one == two


def test_the_trainers_seed_grows_the_forest():
    data, held_out = problem(VECTOR, 3)
    module = RandomForest().build(VECTOR, 3)
    RandomForest().fit(module, data, Trainer(Recipe(), SEED + 1))
    assert not torch.equal(module(held_out.inputs), fitted(RandomForest(), data)(held_out.inputs))


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
def test_untrained_classifiers_pass_forward_and_backward(model):
    logits = model.build(PICTURE, 3)(torch.rand(5, *PICTURE))
    assert logits.shape == (5, 3)
    assert torch.isfinite(logits).all()
    logits.sum().backward()


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
@pytest.mark.parametrize("shape", [VECTOR, PICTURE])
def test_a_class_with_one_clip(model, shape):
    data, held_out = problem(shape, 3, rare=2)
    assert (data.train.labels == 2).sum() == 1
    logits = fitted(model, data)(held_out.inputs)
    assert torch.isfinite(logits).all()
    common = held_out.labels != 2
    assert (logits.argmax(dim=1) == held_out.labels)[common].float().mean() > 0.5


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.id)
def test_a_class_without_clips_is_never_predicted(model):
    data, held_out = problem(VECTOR, 4, noise=0.3)
    rows = data.train.labels != 1
    train = Examples(data.train.inputs[rows], data.train.labels[rows])
    logits = fitted(model, replace(data, train=train))(held_out.inputs)
    assert torch.isfinite(logits).all()
    assert (logits[:, 1] <= logits[:, [0, 2, 3]].min(dim=1).values).all()


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.id)
def test_one_class_alone_is_refused(model):
    data, _ = problem(VECTOR, 2)
    train = Examples(data.train.inputs[::2], data.train.labels[::2])
    with pytest.raises(ValueError, match="one class"):
        fitted(model, replace(data, train=train))


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.id)
def test_constant_values_and_equal_clips_change_nothing(model):
    data, held_out = problem(PICTURE, 3, clips=60)

    def spoiled(part):
        inputs = part.inputs.clone()
        inputs[:, :, 0] = 0.25
        inputs[:40] = inputs[0]
        return Examples(inputs, part.labels)

    module = fitted(replace(model, components=40), TrainingData(spoiled(data.train), data.validation, 3))
    assert module(held_out.inputs).abs().max() < 1e3


def best_of(model, data, candidates):
    """The candidate that a bare loop over validation accuracies takes."""
    scores = []
    for candidate in candidates:
        logits = fitted(replace(model, **candidate), data)(data.validation.inputs)
        scores.append((logits.argmax(dim=1) == data.validation.labels).float().mean().item())
    return candidates[int(np.argmax(scores))], scores


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.id)
def test_the_best_candidate_on_the_validation_part_is_taken(model):
    data, _ = problem(PICTURE, 4, clips=60, noise=0.3)
    costs = (1e-4, 0.1, 10.0)
    best, scores = best_of(model, data, [{"costs": (cost,)} for cost in costs])
    assert len(set(scores)) > 1
    expected = fitted(replace(model, **best), data).state_dict()
    found = fitted(replace(model, costs=costs), data).state_dict()
    assert save(found) == save(expected)


def test_penalties_are_candidates_too():
    data, _ = problem(PICTURE, 4, clips=60, noise=0.3)
    model = LogisticRegression(costs=(0.1,), components=20)
    assert len(model.penalties) == 3
    best, scores = best_of(model, data, [{"penalties": (penalty,)} for penalty in model.penalties])
    assert len(set(scores)) > 1
    assert save(fitted(model, data).state_dict()) == save(fitted(replace(model, **best), data).state_dict())


@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.id)
def test_folds_ignore_the_validation_part(model):
    data, _ = problem(VECTOR, 3)
    folds = replace(model, selection="cross-validation", costs=(1e-4, 1.0))
    nonsense = Examples(data.validation.inputs, 2 - data.validation.labels)
    one = fitted(folds, data)
    two = fitted(folds, replace(data, validation=nonsense))
    assert save(one.state_dict()) == save(two.state_dict())


def test_folds_need_two_clips_of_every_class():
    data, _ = problem(VECTOR, 3, rare=2)
    with pytest.raises(ValueError, match="selection"):
        fitted(LinearSVM(selection="cross-validation"), data)
