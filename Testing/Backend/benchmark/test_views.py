"""Views and fusions side by side on small made-up people."""

from side_by_side import printed


def test_all_choices_are_measured_on_activations_that_are_extracted_once_a_scan(
    tmp_path, tiny_bundle, capsys, monkeypatch
):
    rows, extracted = printed("views", tiny_bundle, tmp_path, monkeypatch, capsys, steps=20)
    names = list(dict.fromkeys(row[0] for row in rows))
    assert names[0] == "sagittal, sum"
    assert names[-3:] == [f"sagittal + coronal + axial, {fusion}" for fusion in ("sum", "concat", "max")]
    assert len(names) == 9
    assert [row[3] for row in rows] == ["completion", "transfer"] * 9
    assert extracted == 2
