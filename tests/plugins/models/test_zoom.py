"""Random zooms against torch's own resampling."""

import torch
from torch.nn.functional import affine_grid, grid_sample

from soundproof_models._zoom import RandomZoom
from soundproof_models.mel_cnn import MelCnn


def test_zooms_are_those_of_an_affine_grid():
    images = torch.rand(40, 2, 13, 20)
    torch.manual_seed(3)
    ours = RandomZoom(0.2).train()(images)
    torch.manual_seed(3)
    rows, columns = (0.8 + 0.4 * torch.rand(40) for _ in range(2))
    assert rows.min() < 0.85
    assert rows.max() > 1.15
    matrices = torch.zeros(40, 2, 3)
    matrices[:, 0, 0], matrices[:, 1, 1] = columns, rows
    grid = affine_grid(matrices, images.shape, align_corners=True)
    torch.testing.assert_close(
        ours, grid_sample(images, grid, padding_mode="border", align_corners=True), atol=1e-5, rtol=1e-5
    )


def test_a_network_at_rest_sees_pictures_as_they_are():
    torch.manual_seed(0)
    plain, zoomed = MelCnn().build((1, 32, 32), 3).eval(), MelCnn(zoom=0.2).build((1, 32, 32), 3).eval()
    zoomed.load_state_dict(plain.state_dict())
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(plain(images), zoomed(images))
    assert not torch.equal(zoomed.train()[0](images), images)
    assert torch.equal(plain.train()[0](images), images)
