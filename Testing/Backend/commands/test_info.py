import json

import pytest

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.bundles.description import bundled_descriptions


def test_every_bundle_is_named_with_its_licence(capsys):
    assert main(["info"]) == 0
    told = capsys.readouterr().out
    for bundle in bundled_descriptions():
        assert f"bundle {bundle.name}: " in told
        assert bundle.licence in told
    assert "diffusionseg info --cards" in told


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_cards_are_told_where_they_are_wanted(capsys, options):
    assert main(["info", "--cards", *options]) == 0
    told = capsys.readouterr().out
    if options:
        cards = [bundle["card"] for bundle in json.loads(told)["bundles"]]
        assert cards == [bundle.card for bundle in bundled_descriptions()]
    for heading in ("licence", "compute", "first command", "other people"):
        assert f"| {heading}" in told


def test_without_cards_json_stays_short(capsys):
    assert main(["info", "--json"]) == 0
    assert all("card" not in bundle for bundle in json.loads(capsys.readouterr().out)["bundles"])
