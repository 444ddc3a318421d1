"""The worker behind the program that it works for."""

import os
import sys

import pytest
from painted_head import a_client


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has classes of priority, not a niceness")
def test_a_worker_goes_behind_the_program_that_started_it():
    with a_client() as client:
        client.call("hello", {})
        assert os.getpriority(os.PRIO_PROCESS, client.process_id) == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
