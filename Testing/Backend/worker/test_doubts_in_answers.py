"""What is doubtful of a scan, in the worker's answers."""

import pytest
from painted_head import open_parameters, volume
from worker_in_process import Worker

from DiffusionSegLib import scan_doubts

pytestmark = pytest.mark.usefixtures("memory_as_in_a_worker", "short_training")


@pytest.mark.filterwarnings("ignore:The scan hardly looks like")
def test_what_is_doubtful_of_a_scan_is_answered_also_where_its_features_were_kept(
    aligned_bundle, tmp_path, monkeypatch
):
    monkeypatch.setattr(scan_doubts, "LEAST_LIKENESS", 1.0)
    where = open_parameters(aligned_bundle, tmp_path / "kept")
    first, again = Worker(), Worker()
    assert first("open", where, volume())[0]["doubts"] == []
    [told] = first("extract")[0]["doubts"]
    assert "hardly looks like" in told
    for worker in (first, again):
        assert worker("open", where, volume())[0]["doubts"] == [told]
