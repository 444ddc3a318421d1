"""Views and fusions side by side on small made-up people."""

from brief_training import training_with
from oasis_phantoms import write_people

from DiffusionSegLib import session
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.features.extraction import ActivationExtractor


def test_all_choices_are_measured_on_activations_that_are_extracted_once_a_scan(
    tmp_path, tiny_bundle, capsys, monkeypatch
):
    extracted = []
    extract = ActivationExtractor.extract
    monkeypatch.setattr(ActivationExtractor, "extract", lambda *given: extracted.append(given) or extract(*given))
    monkeypatch.setattr(session, "train_ensemble", training_with(steps=20, check_every=20))
    write_people(tmp_path, {"sub-1": "train", "sub-2": "validation"})
    bundle = ["--bundle", str(tiny_bundle.folder), "--device", "cpu"]
    assert main(["benchmark", "views", "--data", str(tmp_path), *bundle]) == 0
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in capsys.readouterr().out.splitlines()[2:]]
    names = list(dict.fromkeys(row[0] for row in rows))
    assert names[0] == "sagittal, sum"
    assert names[-3:] == [f"sagittal + coronal + axial, {fusion}" for fusion in ("sum", "concat", "max")]
    assert len(names) == 9
    assert [row[3] for row in rows] == ["completion", "transfer"] * 9
    assert len(extracted) == 2
