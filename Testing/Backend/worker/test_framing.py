import io
import json
import os
import threading

import numpy as np
import pytest

from DiffusionSegLib.worker.framing import Frame, FrameReader, FrameWriter, FramingError, copied


class InPieces(io.BytesIO):
    """A pipe that hands out a few bytes at a time."""

    def read(self, _size=-1):
        return super().read(3)

    def readinto(self, target):
        return super().readinto(target[:5])


def framed(message, arrays=None):
    stream = io.BytesIO()
    FrameWriter(stream).write(Frame(message, arrays or {}))
    return stream.getvalue()


def test_messages_and_arrays_come_out_as_they_went_in():
    arrays = {
        "volume": np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32),
        "mask": np.array([[True, False]]),
        "turned": np.arange(24, dtype=np.uint16).reshape(2, 3, 4).transpose(2, 0, 1),
        "other byte order": np.arange(4, dtype=">i4"),
        "none": np.zeros((0, 3), np.uint8),
    }
    data = framed({"text": "Gehirn, мозг"}, arrays) + framed({"second": 2})
    for stream in (io.BytesIO(data), InPieces(data)):
        reader = FrameReader(stream)
        first, second = reader.read(), reader.read()
        assert first.message == {"text": "Gehirn, мозг"}
        assert list(first.arrays) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(first.arrays[name], array)
        assert second.message == {"second": 2}
        assert not second.arrays
        assert reader.read() is None
        assert reader.bytes_received == len(data)


def announcing(content, **said):
    text = json.dumps({"attachments": [{"name": "a", "dtype": "<f4", "shape": [2], **said}]}).encode()
    return b"Content-Length: %d\r\n\r\n" % len(text) + text + content


BROKEN = {
    "garbage": (b"Welcome to gpu-box!\n", "Welcome to gpu-box"),
    "length of 10 GB": (b"Content-Length: 10737418240\r\n\r\n{}", "10.7 GB"),
    "length without end": (b"Content-Length: 1" + b"0" * 100, "length reads"),
    "negative length": (b"Content-Length: -5\r\n\r\n{}", "length reads"),
    "no number": (b"Content-Length: 1x\r\n\r\n{}", "length reads"),
    "ends in the header": (b"Content-Len", "ends too early"),
    "ends in the JSON": (b'Content-Length: 20\r\n\r\n{"a": ', "ends too early"),
    "no JSON": (b"Content-Length: 5\r\n\r\nhello", "no JSON"),
    "no object": (b"Content-Length: 2\r\n\r\n[]", "no JSON object"),
    "ends in an array": (announcing(b"1234567"), "ends too early"),
    "array of 10 GB": (announcing(b"", shape=[2_684_354_560]), "10.7 GB"),
    "negative shape": (announcing(b"", shape=[-1]), "no arrays"),
    "array of objects": (announcing(b"", dtype="|O"), "no arrays"),
    "no shape": (b'Content-Length: 19\r\n\r\n{"attachments":[1]}', "no arrays"),
}


@pytest.mark.parametrize(("data", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_message_is_told(data, told):
    with pytest.raises(FramingError, match=told):
        FrameReader(io.BytesIO(data)).read()


def test_garbage_is_told_at_its_first_byte_even_if_the_pipe_stays_open():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as incoming, os.fdopen(writing, "wb", buffering=0) as outgoing:
        outgoing.write(b"Con7")
        found = []

        def read():
            try:
                FrameReader(incoming).read()
            except FramingError as error:
                found.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(5)
        assert found


def test_an_array_of_objects_is_not_sent():
    with pytest.raises(TypeError, match="cannot be sent"):
        framed({}, {"a": np.array([{}])})


def test_a_copy_does_not_change_with_what_it_was_copied_from():
    original = np.zeros(3, np.float32)
    kept = copied({"a": original})["a"]
    original[:] = 1
    assert not kept.any()
