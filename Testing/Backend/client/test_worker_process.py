import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import REPOSITORY

from DiffusionSegLib.client import WorkerClient, WorkerDied
from DiffusionSegLib.client.worker_process import LOG_LINES, WorkerProcess

NOT_ON_WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")


def a_process(code):
    return WorkerProcess([sys.executable, "-I", "-S", "-c", code], None)


def is_running(identifier):
    """Whether there is such a process, other than one that has ended and waits to be noticed."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(identifier)], capture_output=True, text=True, check=False)
    return found.stdout.strip()[:1] not in {"", "Z"}


@NOT_ON_WINDOWS
@pytest.mark.timeout(30)
@pytest.mark.parametrize("parent", ["time.sleep(60)", "pass"], ids=["parent runs", "parent has ended"])
def test_what_the_process_started_ends_with_it(parent):
    child = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    process = a_process(
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-I', '-S', '-c', {child!r}])\n"
        f"print(child.pid, flush=True); {parent}"
    )
    child = int(process.incoming.read(20))
    end = time.monotonic() + 5
    while not (found := subprocess.run(["pgrep", "-P", str(child)], capture_output=True, check=False).stdout):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert is_running(child)
    process.kill()
    time.sleep(0.1)
    assert not is_running(child)
    assert not is_running(int(found))
    assert not process.running


@pytest.mark.parametrize("command", [["no-such-program-anywhere"], [], [str(REPOSITORY)]])
def test_a_program_that_cannot_be_started_is_told_of(command):
    with pytest.raises(WorkerDied, match="cannot be started") as found:
        WorkerProcess(command, None)
    assert "advanced settings" in found.value.hint


@pytest.mark.timeout(30)
def test_the_log_keeps_the_last_lines_also_of_progress_bars():
    process = a_process(
        "import sys\nfor number in range(5000): sys.stderr.write(f'{number}%\\r')\nsys.stderr.write('\\n\\nthe end')"
    )
    assert process.wait(10)
    assert process.ending() == "exit status 0"
    lines = process.log().splitlines()
    assert len(lines) == LOG_LINES
    assert lines[-2:] == ["4999%", "the end"]


@pytest.mark.timeout(30)
def test_the_environment_is_the_one_that_was_given():
    code = "import os; print(os.environ.get('COLOUR'), flush=True)"
    process = WorkerProcess([sys.executable, "-S", "-c", code], {**os.environ, "COLOUR": "red"})
    assert process.incoming.read(20).strip() == b"red"
    process.kill()


@NOT_ON_WINDOWS
@pytest.mark.timeout(30)
def test_ctrl_c_in_the_application_is_none_of_the_workers_business():
    process = a_process("import time; time.sleep(60)")
    assert os.getpgid(process.identifier) != os.getpgid(0)
    process.kill()


@NOT_ON_WINDOWS
@pytest.mark.timeout(30)
def test_writing_to_a_dead_worker_does_not_end_an_application_that_takes_the_signal():
    code = (
        "import signal, sys\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "from DiffusionSegLib.client import WorkerClient, WorkerDied\n"
        "client = WorkerClient([sys.executable, '-I', '-S', '-c', 'import os, time; os.close(0); time.sleep(1)'])\n"
        "try: client.call('open', {'text': 'x' * 10**6})\n"
        "except WorkerDied: print('told')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=20
    )
    assert found.returncode != -signal.SIGPIPE
    assert found.stdout == "told\n"


@NOT_ON_WINDOWS
@pytest.mark.timeout(30)
def test_a_killed_application_leaves_no_worker_behind():
    """The pipe closes with the application; a worker that reads it knows."""
    code = (
        "import os, sys\nfrom DiffusionSegLib.client import WorkerClient\n"
        "client = WorkerClient([sys.executable, '-I', '-S', '-c', 'import sys; sys.stdin.read()'])\n"
        "print(client.process_id, flush=True)\nos.kill(os.getpid(), 9)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    identifier = int(found.stdout)
    end = time.monotonic() + 5
    while is_running(identifier):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_client_without_a_worker_says_so_at_once():
    with pytest.raises(WorkerDied, match="no-such-program"):
        WorkerClient(["no-such-program"])
