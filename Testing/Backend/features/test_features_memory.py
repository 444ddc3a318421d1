import pytest
from conftest import a_head, a_volume

from DiffusionSegLib.features.features_file import features_bytes
from DiffusionSegLib.features.features_memory import FeaturesMemory
from DiffusionSegLib.session import Session, SessionOptions


@pytest.fixture(scope="module")
def features(tiny_bundle):
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(a_volume(a_head((18, 16, 14))[0]))
    return session.extract()


def test_what_was_used_the_longest_time_ago_goes_first(features):
    memory = FeaturesMemory(int(2.5 * features_bytes(features)))
    memory.put("a", features)
    memory.put("b", features)
    assert memory.get("a") is features
    memory.put("c", features)
    assert [memory.get(key) is not None for key in "abc"] == [True, False, True]


def test_what_is_larger_than_the_budget_is_not_kept_and_leaves_the_others(features):
    memory = FeaturesMemory(features_bytes(features))
    memory.put("a", features)
    memory.budget -= 1
    memory.put("b", features)
    assert memory.get("b") is None
    assert memory.get("a") is features


def test_a_smaller_budget_lets_go_at_once(features):
    memory = FeaturesMemory(2 * features_bytes(features))
    memory.put("a", features)
    memory.put("b", features)
    memory.limit(features_bytes(features))
    assert memory.get("a") is None
    assert memory.get("b") is features
    memory.limit(0)
    assert memory.get("b") is None
