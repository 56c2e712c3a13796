"""Clips in parallel."""

import threading

import pytest
import torch

from soundproof_representations._batches import in_parallel


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_are_in_order_and_threads_are_given_back(threads):
    rows = torch.arange(11.0)[:, None]
    assert torch.equal(in_parallel(lambda clip: clip * 2, rows), rows * 2)
    assert torch.get_num_threads() == threads
    started_later = []
    later = threading.Thread(target=lambda: started_later.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert started_later == [threads]


def test_every_clip_has_one_thread(threads):
    seen = in_parallel(lambda clip: torch.full_like(clip, torch.get_num_threads()), torch.zeros(7, 1))
    assert seen.unique().tolist() == [1]


def test_modes_of_the_caller_hold_in_every_clip(threads):
    rows = torch.ones(5, 1, requires_grad=True)
    assert in_parallel(lambda clip: clip * 2, rows).requires_grad
    with torch.no_grad():
        assert not in_parallel(lambda clip: clip * 2, rows).requires_grad
    with torch.inference_mode():
        assert in_parallel(lambda clip: clip * 2, rows).is_inference()


def test_an_error_reaches_the_caller_and_threads_are_given_back(threads):
    def fail(clip):
        raise ValueError("no such sound")

    with pytest.raises(ValueError, match="no such sound"):
        in_parallel(fail, torch.zeros(5, 1))
    assert torch.get_num_threads() == threads
