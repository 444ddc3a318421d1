import pytest

from DiffusionSegLib.benchmark.scores import Row
from DiffusionSegLib.evaluation import Score

PERSON = {15: Score(0.0, 30.0), 69: Score(0.3, 6.0), 35: Score(0.9, 1.0), 36: Score(0.7, 2.0)}


def test_averages_leave_out_what_the_paper_leaves_out():
    averages = Row("ours", "sub-1", "9", "transfer", [PERSON]).averages()
    assert averages["Avg"].dice == pytest.approx(1.9 / 4)
    assert averages["Avg+"].dice == pytest.approx(1.9 / 3)
    assert averages["Avg++"].dice == pytest.approx(0.8)
    assert averages["Avg++"].hd95_mm == pytest.approx(1.5)


def test_people_count_alike_however_many_structures_they_have():
    other = {35: Score(0.5, 3.0)}
    assert Row("ours", "sub-1", "9", "transfer", [PERSON, other]).averages()["Avg++"].dice == pytest.approx(
        (0.8 + 0.5) / 2
    )


def test_a_structure_is_averaged_over_those_who_have_it():
    structures = Row("ours", "sub-1", "9", "transfer", [PERSON, {35: Score(0.5, 3.0)}]).structures()
    assert structures[35].dice == pytest.approx(0.7)
    assert structures[36].dice == pytest.approx(0.7)


def test_a_line_shows_percent_and_the_spread_over_people():
    people = [{35: Score(0.9, 1.0), 36: Score(0.7, 2.0)}, {35: Score(0.5, 3.0)}]
    line = Row("ours", "sub-1", "9", "transfer", people).markdown()
    assert line == "| ours | sub-1 | 9 | transfer | 65.0 ± 15.0 | 65.0 | 65.0 | 2.25 | 2.25 | 2.25 |"
