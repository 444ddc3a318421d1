"""How far our logits agree with the published ones, found slab by slab."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from DiffusionSegLib.benchmark.speed.agreement import agreements
from DiffusionSegLib.benchmark.speed.our_path import OurPath, fast_logits
from DiffusionSegLib.benchmark.speed.published import full_features, full_logits, separate_networks
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.segmenter.ensemble import mean_probabilities
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig


def test_slabs_tell_what_all_voxels_at_once_do_and_a_wrong_way_is_seen(tiny_bundle):
    ours = OurPath(tiny_bundle, tiny_bundle.denoisers(), EnsembleConfig(members=2, steps=40))
    scan = SpeedScan.phantom(24, 1.0)
    features, annotation = ours.features(scan), scan.annotation()
    ensemble = ours.train(ours.gather(features, scan, annotation), len(annotation.classes))
    image = scan.image[(slice(None), *map(slice, features.origin, np.add(features.origin, features.tissue.shape)))]
    full = full_features(ours.denoisers, tiny_bundle.config.schedule, tiny_bundle.config.features, image)
    networks = separate_networks(ensemble)
    wrong = replace(features, mean=features.mean + features.spread)

    right, of_wrong = agreements(full, [features, wrong], ensemble, networks)

    tissue = torch.from_numpy(features.tissue.ravel())
    expected = torch.cat(list(full_logits(full, features, networks)), dim=1)[:, tissue]
    assert right.largest_logit == pytest.approx(float(expected.abs().max()), rel=1e-4)
    assert right.logit_difference < 1e-2 < of_wrong.logit_difference
    found = torch.cat(list(fast_logits(wrong, ensemble)), dim=1)[:, tissue]
    same = mean_probabilities(found).argmax(1) == mean_probabilities(expected).argmax(1)
    assert of_wrong.equal_labels == pytest.approx(float(same.double().mean()), abs=1e-3)
    assert of_wrong.logit_difference == pytest.approx(float((found - expected).abs().max()), rel=1e-4)
