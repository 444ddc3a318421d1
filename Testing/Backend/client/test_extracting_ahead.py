"""A real worker that was asked to extract before anything was painted computes nothing of it again."""

from painted_head import a_client, open_parameters, painting, volume

COMPUTED = {"preparation", "alignment", "features", "saving"}


def stages_of(client, method: str) -> set[str]:
    told: list[str] = []
    client.call(method, {}, on_progress=lambda stage, _done, _total: told.append(stage))
    return set(told)


def test_neither_the_alignment_nor_the_features_are_computed_again(aligned_bundle, tmp_path):
    with a_client() as client:
        client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        assert stages_of(client, "extract") == COMPUTED
        client.call("annotate", *painting())
        trained = stages_of(client, "train")
        assert "training" in trained
        assert not trained & COMPUTED
        assert not stages_of(client, "predict") & COMPUTED


def test_another_worker_takes_them_from_the_session_folder(aligned_bundle, tmp_path):
    with a_client() as client:
        client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        client.call("extract", {})
    with a_client() as client:
        answer, _ = client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        assert answer["features_cached"]
        assert not stages_of(client, "extract")
