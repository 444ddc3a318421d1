"""Gathering and projection against the published way: build every feature of every voxel, then apply the MLPs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import a_head

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.extraction import ActivationExtractor, shared_noise
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import local_features
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.features.projection import FirstLayerProjection
from DiffusionSegLib.placement import Placement

CONFIG = FeatureConfig(
    time_steps=(50, 150), blocks=(0, 1, 3), intensity_sigmas_mm=(0.0, 1.0), edge_sigmas_mm=(1.0,), activation_weight=40
)


def features_of(bundle, config=CONFIG):
    image, _ = a_head((22, 27, 18))
    normalised = (image / image.max() * 2 - 1)[None]
    extractor = ActivationExtractor(bundle.denoisers(), bundle.config.schedule, config)
    return OrthogonalFeatures.extract(normalised, image > 0, extractor, 1.0), normalised


def naive_views(bundle, volume, config):
    """Every view's features at full size, (channels, I, J, K): hooks' outputs upsampled bilinearly and stacked."""
    denoisers = bundle.denoisers()
    found = []
    for view in config.views:
        axis = ("sagittal", "coronal", "axial").index(view)
        slices = torch.from_numpy(np.moveaxis(volume, axis + 1, 0).copy())
        height, width = slices.shape[2:]
        padded = F.pad(slices, (0, width % 2, 0, height % 2), value=-1.0)
        noise = shared_noise(1, padded.shape[2:], config.noise_seed)
        levels = {}
        for step in config.time_steps:
            steps = torch.full((len(padded),), step)
            noised = bundle.config.schedule.noised(padded, steps, noise)
            with torch.no_grad():
                outputs = denoisers.activations(noised, steps, axis, config.blocks)
            for block, output in outputs.items():
                reduction = denoisers.unet.block_reductions[block]
                full = F.interpolate(output, size=padded.shape[2:], mode="bilinear", align_corners=False)
                levels.setdefault(reduction, []).append(full[:, :, :height, :width])
        stacked = torch.cat([part for parts in levels.values() for part in parts], dim=1)
        found.append(stacked.movedim(0, 1).movedim(1, axis + 1))
    return found


def naive_features(bundle, features, volume, config):
    low = features.origin
    crop = volume[
        (slice(None), *(slice(start, start + size) for start, size in zip(low, features.tissue.shape, strict=True)))
    ]
    views = naive_views(bundle, np.ascontiguousarray(crop), config)
    if config.fusion == "sum":
        fused = sum(views)
    elif config.fusion == "max":
        fused = torch.stack(views).amax(0)
    else:
        fused = torch.cat(views)
    beside = local_features(features.local.flatten(1), config)
    everything = torch.cat([fused.flatten(1).T, beside], dim=1)
    return (everything - features.mean) / features.spread


@pytest.mark.parametrize("fusion", ["sum", "concat", "max"])
@pytest.mark.parametrize("views", [("sagittal", "coronal", "axial"), ("coronal",)])
def test_gathered_features_are_those_of_the_full_feature_volume(tiny_bundle, fusion, views):
    config = replace(CONFIG, fusion=fusion, views=views)
    features, volume = features_of(tiny_bundle, config)
    expected = naive_features(tiny_bundle, features, volume, config)[features.tissue.ravel()]
    points = torch.from_numpy(np.argwhere(features.tissue))
    # Activations are kept in half precision, whose rounding is one part in two thousand.
    torch.testing.assert_close(features.at(points), expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("fusion", ["sum", "concat", "max"])
def test_projecting_before_upsampling_gives_the_first_layer_of_the_gathered_features(tiny_bundle, fusion):
    features, _ = features_of(tiny_bundle, replace(CONFIG, fusion=fusion))
    torch.manual_seed(1)
    weight, bias = torch.randn(len(features.mean), 12), torch.randn(12)
    points = torch.from_numpy(np.argwhere(np.ones(features.tissue.shape, bool)))
    expected = (features.at(points) @ weight + bias).reshape(*features.tissue.shape, 12)
    whole = FirstLayerProjection(features, weight, bias).hidden(tuple((0, size) for size in features.tissue.shape))
    torch.testing.assert_close(whole, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_first_layers_that_look_along_few_directions_are_taken_apart_and_give_the_same(tiny_bundle, fusion):
    features, _ = features_of(tiny_bundle, replace(CONFIG, fusion=fusion))
    torch.manual_seed(1)
    weight, bias = torch.randn(len(features.mean), 40), torch.randn(40)
    weight[: features.view_channels] = torch.randn(features.view_channels, 3) @ torch.randn(3, 40)
    projection = FirstLayerProjection(features, weight, bias)
    assert projection.along_weight.shape == (3, 40)
    points = torch.from_numpy(np.argwhere(np.ones(features.tissue.shape, bool)))
    expected = (features.at(points) @ weight + bias).reshape(*features.tissue.shape, 40)
    whole = projection.hidden(tuple((0, size) for size in features.tissue.shape))
    torch.testing.assert_close(whole, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_a_feature_that_hardly_varies_does_not_hide_the_directions_of_the_others(tiny_bundle):
    features, _ = features_of(tiny_bundle)
    spread = features.spread.clone()
    spread[0] = 1e-7
    features = replace(features, spread=spread)
    torch.manual_seed(1)
    weight = torch.zeros(len(features.mean), 40)
    weight[: features.view_channels] = torch.randn(features.view_channels, 3) @ torch.randn(3, 40)
    projection = FirstLayerProjection(features, weight, torch.zeros(40))
    assert len(projection.along_weight) == 3


def test_activations_that_are_no_numbers_are_told_of(tiny_bundle):
    features, _ = features_of(tiny_bundle)
    first, *others = features.views
    endless = {
        reduction: replace(level, values=torch.full_like(level.values, torch.inf))
        for reduction, level in first.levels.items()
    }
    broken = replace(features, views=(replace(first, levels=endless), *others))
    with pytest.raises(DiffusionSegError, match="no numbers of this scan"):
        broken.fused_as(features.config.views, "sum")


@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_levels_projected_before_and_after_interpolation_give_the_same(tiny_bundle, fusion, monkeypatch):
    features, _ = features_of(tiny_bundle, replace(CONFIG, fusion=fusion))
    weight, bias = torch.randn(len(features.mean), 12), torch.randn(12)
    box = ((2, 13), (4, 5), (0, 16))
    found = []
    for before in (lambda *_: True, lambda *_: False, lambda _, reduction, pieces: reduction == max(pieces[0])):
        monkeypatch.setattr(FirstLayerProjection, "_is_cheaper_before", before)
        projection = FirstLayerProjection(features, weight, bias)
        found.append(projection.hidden(box))
        part = projection.on(box).hidden(slice(4, 9))
        expected = found[-1][..., 4:9].permute(2, 0, 1, 3).flatten(0, 2)
        torch.testing.assert_close(part, expected, rtol=1e-4, atol=1e-4 * float(part.abs().max()))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-4 * float(found[0].abs().max()))


def test_a_tile_equals_its_part_of_the_whole(tiny_bundle):
    features, _ = features_of(tiny_bundle)
    weight, bias = torch.randn(len(features.mean), 6), torch.zeros(6)
    projection = FirstLayerProjection(features, weight, bias)
    whole = projection.hidden(tuple((0, size) for size in features.tissue.shape))
    box = ((3, 11), (5, 6), (0, 17))
    part = projection.hidden(box)
    torch.testing.assert_close(part, whole[3:11, 5:6, 0:17], rtol=1e-4, atol=1e-3)


def test_features_are_standardised_over_the_tissue_and_activations_together_weigh_what_they_are_told_to(tiny_bundle):
    features, _ = features_of(tiny_bundle)
    found = features.at(torch.from_numpy(np.argwhere(features.tissue)))
    torch.testing.assert_close(found.mean(0), torch.zeros(found.shape[1]), rtol=0, atol=1e-3)
    spread = found.std(0)
    beside = spread[features.view_channels :]
    torch.testing.assert_close(beside, torch.ones(len(beside)), rtol=0, atol=1e-2)
    assert abs(float((spread[: features.view_channels] ** 2).sum()) - CONFIG.activation_weight) < 0.5


def test_what_lies_where_the_template_is_bright_says_how_features_are_scaled(tiny_bundle):
    image, _ = a_head((22, 27, 18))
    normalised, core = (image / image.max() * 2 - 1)[None], image > np.median(image[image > 0])
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, CONFIG)
    positions = np.zeros((3, *image.shape), np.float32)

    def extracted(core):
        placement = Placement(positions, core=core)
        return OrthogonalFeatures.extract(normalised, image > 0, extractor, 1.0, placement=placement)

    found, of_all = extracted(core), extracted(None)
    low = np.array(found.origin)
    inside = torch.from_numpy(np.argwhere(core) - low)
    beside = found.at(inside)[:, found.view_channels :]
    torch.testing.assert_close(beside.mean(0), torch.zeros(beside.shape[1]), rtol=0, atol=1e-3)
    torch.testing.assert_close(beside.std(0), torch.ones(beside.shape[1]), rtol=0, atol=1e-3)
    assert not torch.equal(found.mean, of_all.mean)
    largest = found.fused_as(CONFIG.views, "max").at(inside)
    torch.testing.assert_close(largest.mean(0), torch.zeros(largest.shape[1]), rtol=0, atol=1e-3)
    # A template that shows next to nothing of the scan cannot say it.
    elsewhere = np.zeros_like(core)
    elsewhere[tuple(np.argwhere(core)[0])] = True
    torch.testing.assert_close(extracted(elsewhere).mean, of_all.mean)


def test_positions_in_a_template_are_the_same_features_in_every_scan(tiny_bundle):
    config = replace(CONFIG, coordinates="template", position_wavelengths_mm=(40.0,))
    image, _ = a_head((22, 27, 18))
    positions = np.stack(np.meshgrid(*(0.01 * np.arange(size) for size in image.shape), indexing="ij"))
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, config)
    normalised = (image / image.max() * 2 - 1)[None]
    features = OrthogonalFeatures.extract(normalised, image > 0, extractor, 1.0, placement=Placement(positions))
    point = torch.tensor([[11, 13, 9]])
    places_mm = torch.tensor([11.0, 13.0, 9.0]) + torch.tensor(features.origin)
    waves = places_mm * 2 * torch.pi / 40
    expected = torch.cat([places_mm / 15, waves.sin(), waves.cos()])
    # Positions are kept in half precision, too.
    torch.testing.assert_close(features.at(point)[0, -9:], expected, rtol=0, atol=1e-3)
    weight = torch.randn(len(features.mean), 5)
    hidden = FirstLayerProjection(features, weight, torch.zeros(5)).hidden(((11, 12), (13, 14), (9, 10)))
    torch.testing.assert_close(hidden[0, 0], features.at(point) @ weight, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    ("views", "fusion"), [(("coronal",), "sum"), (("axial", "sagittal"), "sum"), (CONFIG.views, "max")]
)
def test_activations_that_are_there_are_fused_as_if_they_were_extracted_for_that(tiny_bundle, views, fusion):
    found = features_of(tiny_bundle)[0].fused_as(views, fusion)
    expected, _ = features_of(tiny_bundle, replace(CONFIG, views=views, fusion=fusion))
    assert found.config == expected.config
    points = torch.from_numpy(np.argwhere(expected.tissue))
    torch.testing.assert_close(found.at(points), expected.at(points))


def test_all_slices_share_the_middle_of_one_noise_image():
    small, large = shared_noise(1, (8, 6), 3), shared_noise(1, (12, 10), 3)
    torch.testing.assert_close(small, large[:, :, 2:10, 2:8])


def test_without_noise_a_seed_makes_no_difference_and_with_it_it_does(tiny_bundle):
    point = torch.tensor([[9, 12, 7]])
    for scale, same in ((0.0, True), (1.0, False)):
        found = [
            features_of(tiny_bundle, replace(CONFIG, noise_scale=scale, noise_seed=seed))[0].at(point)
            for seed in (0, 1)
        ]
        assert torch.equal(*found) == same


def test_slices_without_tissue_are_not_computed(tiny_bundle, monkeypatch):
    image, _ = a_head((22, 27, 18))
    padded = np.pad(image / image.max() * 2 - 1, ((4, 5), (0, 0), (3, 0)), constant_values=-1)[None]
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, CONFIG)
    computed, slices_of = {0: 0, 1: 0, 2: 0}, ActivationExtractor._slices

    def counted(self, slices, view):
        computed[view] += len(slices)
        return slices_of(self, slices, view)

    monkeypatch.setattr(ActivationExtractor, "_slices", counted)
    views = extractor.extract(padded, padded[0] > -1)
    first, last = np.flatnonzero((image > 0).any(axis=(1, 2)))[[0, -1]]
    assert computed[0] == last + 1 - first < padded.shape[1] - 8
    assert {len(level.rows) for level in views[0].levels.values()} == {padded.shape[1]}
