from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import SimpleITK as sitk

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.itk_warnings import without_itk_warnings
from DiffusionSegLib.reading import read_volume


def test_a_folder_without_a_series_is_told_of_once(tmp_path, capfd):
    with pytest.raises(DiffusionSegError, match="no DICOM series"):
        read_volume(tmp_path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("shown", [True, False])
def test_afterwards_warnings_are_shown_as_before(tmp_path, shown):
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(shown)
    try:
        with pytest.raises(DiffusionSegError):
            read_volume(tmp_path)
        assert sitk.ProcessObject.GetGlobalWarningDisplay() == shown
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def test_threads_that_read_at_a_time_leave_it_as_it_was():
    begun = Barrier(8)

    def read(_number):
        begun.wait()
        for _ in range(200):
            with without_itk_warnings():
                pass

    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read, range(8)))
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before
