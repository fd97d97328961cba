"""Reading back what both sinks wrote, while it grows and after damage."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.reading.strips import all_strips
from tb_llmdebug.wire import messages, record_pb2, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import EncodedRecord, event_bytes
from tests.data import layers_of, softmax_maps, write_run


def record_file(root: Path) -> Path:
    (file,) = [path for path in root.rglob("*") if path.is_file()]
    return file


@pytest.mark.parametrize("inline", [False, True])
def test_everything_comes_back(tmp_path: Path, inline: bool) -> None:
    mask = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])
    maps = layers_of(3, mask=mask)
    tokens = [["a", "b", "c", "d", "e", "f"], ["<pad>", "<pad>", "x", "y", "z", "w"]]
    with llmdebug.Writer(tmp_path / "run", inline=inline):
        llmdebug.log_attention("encoder", maps, tokens=tokens, mask=mask, step=7)
    logdir = llmdebug.open_logdir(tmp_path)
    assert (logdir.runs, logdir.names("run"), logdir.steps("run", "encoder")) == (["run"], ["encoder"], [7])
    record = logdir.attention("run", "encoder", 7).record()
    for layer, original in zip(record.layers, maps, strict=True):
        assert np.array_equal(layer.weights, original.astype(np.float16).astype(np.float32))
    assert [example.key_tokens.text for example in record.examples] == [tuple(row) for row in tokens]
    assert np.array_equal(record.examples[1].query_mask, mask[1])
    assert (record.batch, record.step, record.causal) == (2, 7, None)


def test_everything_about_tokens_comes_back(tmp_path: Path) -> None:
    tokens = llmdebug.Tokens(
        text=("<s>", "中", "中"),
        ids=(1, 7, 9),
        special=(True, False, False),
        part=(0, 1, 2),
        parts=(0, 2, 2),
        offsets=((0, 0), (0, 1), (0, 1)),
    )
    write_run(
        str(tmp_path),
        steps=range(1),
        attention=lambda step: (softmax_maps(batch=1, queries=3),),
        tokens=tokens,
    )
    assert llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).example(0).key_tokens == tokens


def test_one_example_of_layers_with_different_shapes(tmp_path: Path) -> None:
    maps = {"self": softmax_maps(heads=2, queries=4), "cross": softmax_maps(heads=5, queries=4, keys=300)}
    write_run(str(tmp_path), steps=range(1), attention=lambda step: maps, precision="u8")
    stored = llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0)
    assert [layer.label for layer in stored.record().layers] == ["self", "cross"]
    assert np.abs(stored.weights(1, 4, 1) - maps["cross"][1, 4]).sum(axis=-1).mean() < 0.05


def test_a_growing_file_is_followed(tmp_path: Path) -> None:
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.runs == []
    with llmdebug.Writer(tmp_path / "run") as writer:
        for step in range(3):
            llmdebug.log_attention("decoder", layers_of(), step=step)
            writer.flush()
            logdir.refresh()
            assert logdir.steps("run", "decoder") == list(range(step + 1))


def test_a_record_that_arrives_in_two_pieces_is_read_when_it_is_whole(tmp_path: Path) -> None:
    write_run(str(tmp_path / "whole"))
    data = record_file(tmp_path).read_bytes()
    growing = tmp_path / "growing" / "plugins" / "llmdebug" / "records.1.a.1"
    growing.parent.mkdir(parents=True)
    logdir = llmdebug.open_logdir(tmp_path)
    seen = []
    for end in [*range(0, len(data), 97), len(data)]:
        growing.write_bytes(data[:end])
        logdir.refresh()
        steps = logdir.steps("growing", "decoder") if "growing" in logdir.runs else []
        seen.append(len(steps))
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert logdir.problems == []


def test_a_restarted_run_keeps_both_sessions_and_shows_the_newer(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(5))
    write_run(str(tmp_path), steps=range(3, 6), attention=lambda step: layers_of(1))
    logdir = llmdebug.open_logdir(tmp_path)
    older, newer = logdir.sessions(".", "decoder")
    assert logdir.steps(".", "decoder") == [3, 4, 5]
    assert len(logdir.attention(".", "decoder", 3).record().layers) == 1
    assert len(logdir.attention(".", "decoder", 3, session=older).record().layers) == 2
    assert newer != older


def test_a_step_logged_twice_gives_the_last(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("decoder", layers_of(1), step=1)
        llmdebug.log_attention("decoder", layers_of(2), step=1)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [1, 1]
    assert len(logdir.attention(".", "decoder", 1).record().layers) == 2


def test_records_after_a_damaged_one_are_found(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(10))
    file = record_file(tmp_path)
    data = bytearray(file.read_bytes())
    third = [found.offset for found in FileScan(str(file)).advance()][2]
    data[third - 12] ^= 0xFF
    file.write_bytes(data)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [0, 1, *range(3, 10)]
    (problem,) = logdir.problems
    assert "is damaged from byte" in problem


def test_flipped_payload_bits_never_give_a_wrong_value(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(3))
    file = record_file(tmp_path)
    good = file.read_bytes()
    intact = llmdebug.open_logdir(tmp_path)
    expected = {step: intact.attention(".", "decoder", step).weights(0, 0) for step in range(3)}
    first, second = [found.offset for found in FileScan(str(file)).advance()][:2]
    generator = random.Random(1)
    for _ in range(150):
        place = generator.randrange(first, second - 16)
        damaged = bytearray(good)
        damaged[place] ^= 1 << generator.randrange(8)
        file.write_bytes(damaged)
        logdir = llmdebug.open_logdir(tmp_path)
        for step in (1, 2):
            assert np.array_equal(logdir.attention(".", "decoder", step).weights(0, 0), expected[step])
        try:
            stored = logdir.attention(".", "decoder", 0).weights(0, 0)
        except (DamagedRecordError, KeyError):
            continue
        assert np.array_equal(stored, expected[0])


def test_a_file_cut_at_every_byte_gives_the_whole_records_before(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(3))
    file = record_file(tmp_path)
    data = file.read_bytes()
    ends = [found.offset + found.length + 4 for found in FileScan(str(file)).advance()]
    for size in range(len(data) - 1, len(data) - 1500, -7):
        file.write_bytes(data[:size])
        found = list(FileScan(str(file)).advance())
        assert len(found) == sum(end <= size for end in ends)


@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\0\0\0\0\0\0\0\0\x01", b"\0\0\0\0\x01"])
def test_a_record_after_a_megabyte_of_anything_is_found_in_seconds(tmp_path: Path, filling: bytes) -> None:
    write_run(str(tmp_path), steps=range(2))
    file = record_file(tmp_path)
    data = file.read_bytes()
    first = next(FileScan(str(file)).advance())
    end = first.offset + first.length + 4
    for shift in range(13):
        file.write_bytes(data[:end] + filling * (1_000_000 // len(filling)) + b"\x01" * shift + data[end:])
        assert [found.step for found in FileScan(str(file)).advance()] == [0, 1]


def test_what_was_searched_in_vain_is_not_searched_again(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(2))
    file = record_file(tmp_path)
    data = file.read_bytes()
    scan = FileScan(str(file))
    file.write_bytes(b"\x01" * 100_000)
    assert list(scan.advance()) == []
    file.write_bytes(b"\x01" * 100_000 + data[:5])
    assert list(scan.advance()) == []
    file.write_bytes(b"\x01" * 100_000 + data)
    assert [found.step for found in scan.advance()] == [0, 1]


def test_a_tail_that_is_no_record_is_a_problem_only_while_it_is(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(2))
    file = record_file(tmp_path)
    data = file.read_bytes()
    file.write_bytes(data[:-10])
    os.utime(file, (1, 1))
    logdir = llmdebug.open_logdir(tmp_path)
    assert "ends inside a record" in logdir.problems[0]
    with file.open("ab") as growing:
        growing.write(data[-10:])
    logdir.refresh()
    assert logdir.problems == []


def test_ids_change_when_a_run_is_read_anew(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(2))
    logdir = llmdebug.open_logdir(tmp_path)
    (before,) = logdir.index.run(".").all_series()
    write_run(str(tmp_path), steps=range(1), name="other")
    logdir.refresh()
    assert before.id in {series.id for series in logdir.index.run(".").all_series()}
    sorted(tmp_path.rglob("records.*"))[1].unlink()
    logdir.refresh()
    (after,) = logdir.index.run(".").all_series()
    assert after.id != before.id  # or a browser would show what it kept for other records


def test_hostile_numbers_of_kinds_are_clamped_or_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "llmdebug"
    folder.mkdir(parents=True)
    head = record_pb2.RecordHead(version=1, kind="ATTENTION", examples=1)
    head.map_state = 77  # type: ignore[assignment]
    head.anomalies.add(rule="r").severity = -1  # type: ignore[assignment]
    blob = record_pb2.Attention(examples=[record_pb2.Example()]).SerializeToString()
    event = event_bytes(EncodedRecord("d", 0, 1.0, head.SerializeToString(), (blob,)))
    (folder / "records.1.a.1").write_bytes(tfrecord.frame(event))
    logdir = llmdebug.open_logdir(tmp_path)
    ((_, anomaly),) = logdir.anomalies(".")
    assert anomaly.severity is llmdebug.Severity.NONE
    with pytest.raises(DamagedRecordError, match="map state 77"):
        logdir.attention(".", "d", 0).record()


def test_a_record_of_a_million_blobs_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "llmdebug"
    folder.mkdir(parents=True)
    head = record_pb2.RecordHead(version=1, kind="ATTENTION").SerializeToString()
    event = event_bytes(EncodedRecord("d", 0, 1.0, head, (b"",) * 20_000))
    (folder / "records.1.a.1").write_bytes(tfrecord.frame(event))
    assert "more than 16 blobs" in llmdebug.open_logdir(tmp_path).problems[0]


def test_the_index_can_be_asked_while_it_is_being_filled(tmp_path: Path) -> None:
    from tb_llmdebug.plugin import answers
    from tb_llmdebug.reading.index import Index

    with llmdebug.Writer(tmp_path):
        for number in range(2000):
            llmdebug.log_anomaly(f"name {number}", "text", rule="r", step=0)
    index = Index(str(tmp_path))
    scanning = threading.Thread(target=index.refresh)
    scanning.start()
    while scanning.is_alive():
        answers.index(index, scanning=True)
        answers.anomalies(index)
    assert len(answers.anomalies(index).groups) == 2000


def test_a_newer_format_is_named_not_guessed(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "llmdebug"
    folder.mkdir(parents=True)
    head = record_pb2.RecordHead(version=messages.VERSION + 1, kind="ATTENTION").SerializeToString()
    (folder / "records.1.a.1").write_bytes(
        tfrecord.frame(event_bytes(EncodedRecord("d", 0, 1.0, head, (b"",))))
    )
    (problem,) = llmdebug.open_logdir(tmp_path).problems
    assert "update tb-llmdebug" in problem


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.out.tfevents.1.fifo")
    (problem,) = llmdebug.open_logdir(tmp_path).problems
    assert "not a regular file" in problem


def test_a_deleted_run_is_forgotten_and_a_new_one_taken_up(tmp_path: Path) -> None:
    write_run(str(tmp_path / "a"))
    logdir = llmdebug.open_logdir(tmp_path)
    generation = logdir.index.generation
    record_file(tmp_path / "a").unlink()
    write_run(str(tmp_path / "b"))
    logdir.refresh()
    assert logdir.runs == ["b"]
    assert logdir.index.generation > generation


def test_hostile_names_and_tokens_come_back_as_text(tmp_path: Path) -> None:
    name = "../../etc/passwd\0<script>"
    tokens = ["\ud800", "\u202eevil", "\0", "<img onerror=1>", "x" * 100_000, "中"]
    write_run(str(tmp_path), steps=range(1), name=name, tokens=[tokens, tokens])
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.names(".") == [name]
    assert logdir.attention(".", name, 0).example(0).key_tokens.text == ("\ufffd", *tokens[1:])


def test_asking_for_what_is_not_there_says_what_is(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"))
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.names("run") == ["decoder"] and logdir.anomalies("run") == []
    asked = [logdir.names, logdir.anomalies, lambda run: logdir.steps(run, "decoder")]
    asked += [lambda run: logdir.sessions(run, "decoder"), lambda run: logdir.attention(run, "decoder", 0)]
    for ask in asked:
        with pytest.raises(KeyError, match="no run 'rum'; there are 'run'"):
            ask("rum")
    for ask in (logdir.steps, logdir.sessions, lambda *at: logdir.attention(*at, 0)):
        with pytest.raises(KeyError, match="logged no 'encoder' of this kind; there are 'decoder'"):
            ask("run", "encoder")
    with pytest.raises(KeyError, match="no session 'x' of 'decoder'; there are '"):
        logdir.steps("run", "decoder", session="x")
    write_run(str(tmp_path / "long"), steps=range(0, 80, 10))
    logdir.refresh()
    with pytest.raises(KeyError, match="not logged at step 7; there are 0, 10, 20, 30, 40 and 3 more"):
        logdir.attention("long", "decoder", 7)
    with pytest.raises(KeyError, match="head 9 is not among"):
        logdir.attention("run", "decoder", 0).weights(0, 9)


def test_a_directory_that_is_not_there_is_a_problem_until_it_is(tmp_path: Path) -> None:
    logdir = llmdebug.open_logdir(tmp_path / "later")
    assert logdir.runs == [] and logdir.problems == [
        f"{tmp_path}/later is no directory: give a run's, or the one given to tensorboard --logdir."
    ]
    write_run(str(tmp_path / "later" / "run"))
    logdir.refresh()
    assert logdir.runs == ["run"] and logdir.problems == []


def test_what_is_opened_says_what_it_is(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(3, 4), rows=[1, 2])
    logdir = llmdebug.open_logdir(tmp_path)
    assert repr(logdir) == f"<Logdir '{tmp_path}', runs: 'run'>"
    assert repr(logdir.attention("run", "decoder", 3)) == (
        "<StoredAttention 'decoder' of run 'run' at step 3: 2 examples, 2 layers of [heads, rows, keys] "
        "[3, 2, 6]>"
    )


@pytest.mark.parametrize("precision", ["f16", "u8"])
@pytest.mark.parametrize("queries", [6, 300])
def test_all_heads_at_once_are_what_each_is(tmp_path: Path, precision: str, queries: int) -> None:
    maps = softmax_maps(heads=3, queries=queries)
    write_run(
        str(tmp_path), steps=range(1), attention=lambda step: (maps,), precision=precision, heads=[0, 2]
    )
    stored = llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0)
    assert stored.message.layers[0].heads_together == (queries == 6)
    found = [np.concatenate([strip for _, strip in strips]) for strips in all_strips(stored, 0, 1)]
    assert np.array_equal(found, [stored.weights(0, head, 1) for head in (0, 2)])
