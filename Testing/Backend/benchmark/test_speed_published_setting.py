"""The published setting of features for denoisers of other depths."""

from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.published_setting import trained_on, with_published_features
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig


def published_setting(bundle):
    return with_published_features(OurPath(bundle, bundle.denoisers(), EnsembleConfig(members=2, steps=200)))


def test_one_decoder_block_of_each_level_is_taken(tiny_bundle):
    for bundle in (tiny_bundle, find_bundle("brain-t1")):
        theirs = published_setting(bundle)
        reductions = theirs.denoisers.unet.block_reductions
        taken = [reductions[block] for block in theirs.bundle.config.features.blocks]
        assert taken == sorted(set(reductions), reverse=True)


def test_nothing_but_activations_of_three_time_steps_describes_a_voxel(tiny_bundle):
    theirs = published_setting(tiny_bundle)
    features = theirs.features(SpeedScan.phantom(20, 1.0))
    assert len(theirs.bundle.config.features.time_steps) == 3
    assert len(features.mean) == features.view_channels
    assert features.view_channels % 3 == 0


def test_a_segmenter_learns_from_these_features_and_labels_the_scan(tiny_bundle):
    theirs, scan = published_setting(tiny_bundle), SpeedScan.phantom(24, 1.0)
    segmenter, training = trained_on(scan, theirs)
    assert training.steps == 200
    found = theirs.predict(theirs.features(scan), segmenter, scan).labelmap
    assert ((found == scan.reference)[scan.tissue]).mean() > 0.8
