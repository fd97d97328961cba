"""Events as TensorBoard's own classes see them, and damaged ones."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_llmdebug.wire import event, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError

RECORD = event.EncodedRecord("decoder", -3, 12.5, b"head", (b"first", b"", b"x" * 300))


def parse(data: bytes) -> event.Fields | None:
    return event.parse_event(lambda offset, length: data[offset : offset + length], len(data))


def test_tensorboards_own_class_reads_the_event() -> None:
    parsed = event_pb2.Event.FromString(event.event_bytes(RECORD))
    value = parsed.summary.value[0]
    assert (parsed.step, parsed.wall_time, value.tag) == (-3, 12.5, "decoder")
    assert value.metadata.plugin_data.plugin_name == "llmdebug"
    assert value.metadata.plugin_data.content == b"head"
    assert value.metadata.data_class == summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    assert list(value.tensor.string_val) == [b"first", b"", b"x" * 300]
    assert [dim.size for dim in value.tensor.tensor_shape.dim] == [3]


def test_metadata_comes_before_the_payload() -> None:
    data = event.event_bytes(RECORD)
    assert data.index(b"llmdebug") < data.index(b"first")


def test_our_parser_reads_what_a_generated_class_wrote_payload_first() -> None:
    data = event_pb2.Event.FromString(event.event_bytes(RECORD)).SerializeToString()
    assert data.index(b"llmdebug") > data.index(b"first")
    fields = parse(data)
    assert fields is not None
    assert (fields.tag, fields.step, fields.wall_time, fields.content) == ("decoder", -3, 12.5, b"head")
    assert [data[start:end] for start, end in fields.blobs] == [b"first", b"", b"x" * 300]


def test_other_plugins_events_are_passed_over() -> None:
    other = event_pb2.Event(step=1, summary=summary_pb2.Summary())
    other.summary.value.add(tag="loss", simple_value=1.0)
    value = other.summary.value.add(tag="loss")
    value.metadata.plugin_data.plugin_name = "scalars"
    assert parse(other.SerializeToString()) is None
    assert parse(event.file_version_event(1.0)) is None


def test_only_the_needed_bytes_are_asked_for() -> None:
    data = event.event_bytes(event.EncodedRecord("t", 1, 1.0, b"head", (bytes(1 << 20),)))
    asked = 0

    def read(offset: int, length: int) -> bytes:
        nonlocal asked
        asked += length
        return data[offset : offset + length]

    assert event.parse_event(read, len(data)) is not None
    assert asked < 1000


def test_no_damage_raises_anything_else() -> None:
    data = event.event_bytes(RECORD)
    generator = random.Random(0)
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        with suppress(DamagedRecordError):
            parse(bytes(damaged[: generator.randint(0, len(damaged))]))


def test_a_tag_of_a_megabyte_is_refused() -> None:
    record = event.EncodedRecord("t" * (1 << 20), 1, 1.0, b"head", (b"",))
    with pytest.raises(DamagedRecordError, match="at most 4096 may"):
        parse(event.event_bytes(record))


def test_frames_are_what_tensorflow_writes() -> None:
    # The example of TensorFlow's documentation of the format: an empty payload.
    header = tfrecord.frame(b"")[:12]
    assert tfrecord.payload_length(header) == 0
    payload = b"payload"
    framed = tfrecord.frame(payload)
    assert tfrecord.payload_length(framed[:12]) == len(payload)
    assert tfrecord.payload_is_intact(framed[12:-4], framed[-4:])


def test_every_flipped_bit_of_a_header_is_seen() -> None:
    header = tfrecord.frame(b"payload")[:12]
    for bit in range(96):
        damaged = bytearray(header)
        damaged[bit // 8] ^= 1 << bit % 8
        assert tfrecord.payload_length(bytes(damaged)) is None


def test_a_length_beyond_any_protobuf_is_damage_even_with_its_checksum() -> None:
    import google_crc32c

    length = (1 << 40).to_bytes(8, "little")
    checksum = tfrecord.mask(google_crc32c.value(length)).to_bytes(4, "little")
    assert tfrecord.payload_length(length + checksum) is None
