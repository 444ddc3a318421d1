"""What containers leave, from folders that look like those that Linux shows."""

import pytest

from DiffusionSegLib import container_memory
from DiffusionSegLib.container_memory import memory_left_in_container


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Writes which groups this process is in, and each group's files."""
    monkeypatch.setattr(container_memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(container_memory, "OWN_GROUPS", tmp_path / "own")

    def write(own, **groups):
        (tmp_path / "own").write_text(own)
        for name, files in groups.items():
            folder = tmp_path / "groups" / name.replace("_", "/").strip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in files.items():
                (folder / file).write_text(content)

    return write


def second(most, held, cached=0):
    stat = f"anon 5\ninactive_file {cached}\nactive_file 7\nunevictable 3\n"
    return {"memory.max": f"{most}\n", "memory.current": f"{held}\n", "memory.stat": stat}


def first(most, held, cached=0):
    stat = f"inactive_file 1\ntotal_inactive_file {cached}\ntotal_active_file 7\n"
    return {"memory.limit_in_bytes": f"{most}\n", "memory.usage_in_bytes": f"{held}\n", "memory.stat": stat}


def test_a_container_sees_its_limit_at_the_root(linux):
    linux("0::/\n", _=second(1000, 300, 50))
    assert memory_left_in_container() == 757


def test_the_strictest_group_above_counts(linux):
    linux("0::/job/step\n", job_step=second("max", 10), job=second(500, 100), _=second(900, 100))
    assert memory_left_in_container() == 407


def test_the_first_version_is_read_too(linux):
    linux("9:cpu:/other\n4:memory:/job\n0::/\n", memory_job=first(2000, 500, 100))
    assert memory_left_in_container() == 1607


def test_without_a_limit_nothing_is_told(linux):
    assert memory_left_in_container() is None
    linux("0::/\n", _=second("max", 300))
    assert memory_left_in_container() is None
    linux("0::/not/there\n")
    assert memory_left_in_container() is None


def test_a_limit_counts_though_nothing_is_told_of_files(linux):
    linux("0::/\n", _={name: content for name, content in second(1000, 300).items() if name != "memory.stat"})
    assert memory_left_in_container() == 700


def test_a_group_that_holds_more_than_its_limit_leaves_nothing(linux):
    linux("0::/\n", _=second(100, 300))
    assert memory_left_in_container() == 0
