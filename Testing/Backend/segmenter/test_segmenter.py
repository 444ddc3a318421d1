import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.feature_count import feature_count
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.segmenter import FORMAT, Segmenter, SegmenterHeader


def a_segmenter(digest: str = "none") -> Segmenter:
    header = SegmenterHeader(
        bundle="tiny",
        bundle_digest=digest,
        channels=1,
        features=FeatureConfig(time_steps=(7,), fusion="concat"),
        values=(0, 35),
        labels=(Label(35, "Brainstem", (1, 2, 3), "term"),),
        keep_largest=(35,),
        hidden=(6, 4),
        members=2,
        within_part=False,
    )
    return Segmenter(header, MlpEnsemble(2, 5, (6, 4), 2).eval())


def test_a_segmenter_comes_back_from_its_file(tmp_path):
    segmenter = a_segmenter()
    segmenter.save(tmp_path / "brain.safetensors")
    loaded = Segmenter.load(tmp_path / "brain.safetensors")
    assert loaded.header == segmenter.header
    batch = torch.randn(2, 3, 5)
    torch.testing.assert_close(loaded.ensemble(batch), segmenter.ensemble(batch), rtol=0, atol=0)


def test_members_that_vote_do_so_also_after_their_file_was_loaded():
    found = a_segmenter()
    voting = replace(found, header=replace(found.header, combine="vote"))
    assert Segmenter.from_bytes(voting.to_bytes()).header.combine == "vote"


def with_header(content: dict) -> bytes:
    return save(a_segmenter().ensemble.state_dict(), {"format": FORMAT, "header": json.dumps(content)})


def test_a_file_from_before_members_could_vote_means_their_mean():
    content = to_json(a_segmenter().header)
    del content["combine"]
    assert Segmenter.from_bytes(with_header(content)).header == a_segmenter().header


@pytest.mark.parametrize("combine", ["median", 3, None])
def test_an_unknown_way_to_combine_members_is_told_of(combine):
    content = with_header({**to_json(a_segmenter().header), "combine": combine})
    with pytest.raises(DiffusionSegError, match=f"{combine!r} is none of mean, vote"):
        Segmenter.from_bytes(content)


def test_a_file_that_is_no_segmenter_is_refused(tmp_path, tiny_bundle: ModelBundle):
    (tmp_path / "text").write_text("no tensors")
    for path in (tmp_path / "text", tiny_bundle.folder / "model.safetensors"):
        with pytest.raises(DiffusionSegError, match="not a segmenter"):
            Segmenter.load(path)
    with pytest.raises(DiffusionSegError, match="no segmenter"):
        Segmenter.load(tmp_path / "nowhere")
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        Segmenter.load(tmp_path)


def test_a_segmenter_of_another_bundle_is_refused(tiny_bundle: ModelBundle):
    with pytest.raises(DiffusionSegError, match="other weights"):
        a_segmenter("0" * 64).check_bundle(tiny_bundle)
    of_tiny(tiny_bundle).check_bundle(tiny_bundle)


def of_tiny(bundle: ModelBundle, **changes) -> Segmenter:
    """A segmenter of as many features as the bundle makes, which its header may say otherwise."""
    features = replace(FeatureConfig(), time_steps=(7,), blocks=(0, 1))
    found = a_segmenter(bundle.digest)
    header = replace(found.header, features=replace(features, **changes))
    return Segmenter(header, MlpEnsemble(2, feature_count(features, bundle.config.unet, 1), (6, 4), 2).eval())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_steps": (9999,)}, "time steps"),
        ({"blocks": (0, 99)}, "blocks"),
        ({"blocks": (0,)}, "features"),
        ({"intensity_sigmas_mm": (0.0,)}, "features"),
    ],
)
def test_a_header_at_odds_with_the_bundle_is_told_of(tiny_bundle: ModelBundle, changes, words):
    with pytest.raises(DiffusionSegError, match=f"segmenter cannot be used: .*{words}"):
        of_tiny(tiny_bundle, **changes).check_bundle(tiny_bundle)


def test_a_segmenter_of_more_channels_than_it_has_features_of_is_told_of(tiny_bundle: ModelBundle):
    found = of_tiny(tiny_bundle)
    with pytest.raises(DiffusionSegError, match="features, of which its bundle makes"):
        replace(found, header=replace(found.header, channels=2)).check_bundle(tiny_bundle)


def test_a_segmenter_of_fewer_channels_than_the_bundle_works_on_is_told_of(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "two", channels=2)
    with pytest.raises(DiffusionSegError, match="it wants scans of 1 channels, its bundle of 2 at least"):
        of_tiny(bundle).check_bundle(bundle)


BRAINSTEM = Label(35, "Brainstem", (1, 2, 3))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": 0}, "channels is 0"),
        ({"values": (0, 70000)}, "label values"),
        ({"values": (-1, 35)}, "label values"),
        ({"values": (35, 35)}, "label values"),
        ({"labels": (replace(BRAINSTEM, value=0),)}, "labels"),
        ({"labels": (replace(BRAINSTEM, color=(1, 2, 256)),)}, "colour"),
        ({"features": FeatureConfig(views=())}, "views is empty"),
        ({"features": FeatureConfig(intensity_sigmas_mm=(-1.0,))}, "intensity_sigmas_mm"),
    ],
)
def test_a_header_of_impossible_values_is_told_of(changes, words):
    found = a_segmenter()
    content = replace(found, header=replace(found.header, **changes)).to_bytes()
    with pytest.raises(DiffusionSegError, match=f"brain.safetensors cannot be used: .*{words}"):
        Segmenter.from_bytes(content, "brain.safetensors")


@pytest.mark.parametrize(("members", "values"), [(0, (0, 35)), (2, ())])
def test_an_ensemble_of_nothing_is_told_of(members, values):
    header = replace(a_segmenter().header, members=members, values=values)
    content = Segmenter(header, MlpEnsemble(members, 5, header.hidden, len(values))).to_bytes()
    with pytest.raises(DiffusionSegError, match="cannot be used: it has no"):
        Segmenter.from_bytes(content)


@pytest.mark.parametrize("first", [torch.zeros(5), torch.zeros(2, 0, 6), torch.zeros(())])
def test_weights_of_another_shape_than_an_ensembles_are_refused(first):
    found = a_segmenter()
    metadata = {"format": FORMAT, "header": json.dumps(to_json(found.header))}
    content = save({**found.ensemble.state_dict(), "weights.0": first}, metadata)
    with pytest.raises(DiffusionSegError, match="not a segmenter"):
        Segmenter.from_bytes(content)


@pytest.mark.parametrize("header", ["[]", "3", "[" * 100_000, '{"members": Infinity}'])
def test_a_header_that_is_none_is_refused(header):
    content = save(a_segmenter().ensemble.state_dict(), {"format": FORMAT, "header": header})
    with pytest.raises(DiffusionSegError):
        Segmenter.from_bytes(content)


def test_an_ensemble_goes_on_only_if_its_values_mean_the_same_structures():
    header = a_segmenter().header
    brainstem, other = header.labels[0], Label(36, "Tectum", (1, 2, 3))
    assert header.goes_on_from(replace(header, labels=(replace(brainstem, color=(9, 9, 9)), other), keep_largest=()))
    assert header.goes_on_from(replace(header, combine="vote"))
    assert not header.goes_on_from(replace(header, labels=(replace(brainstem, name="Cerebellum"),)))
    both = replace(header, values=(0, 35, 36), labels=(brainstem, other))
    assert not both.goes_on_from(replace(both, labels=(replace(brainstem, value=36), replace(other, value=35))))
    assert both.goes_on_from(replace(both, labels=(other, brainstem)))
