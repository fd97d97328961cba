from __future__ import annotations

import threading

from tb_llmdebug.writing.worker import Worker


def test_jobs_run_in_order_and_drain_waits_for_the_last() -> None:
    done: list[int] = []
    worker = Worker(100, "test")
    for number in range(50):
        assert worker.offer(lambda number=number: done.append(number), 1)
    assert worker.drain(10)
    assert done == list(range(50))


def test_a_full_queue_refuses_and_room_comes_back() -> None:
    gate = threading.Event()
    worker = Worker(100, "test")
    assert worker.offer(lambda: gate.wait(10) and None, 60)
    assert not worker.offer(lambda: None, 60)
    assert worker.offer(lambda: None, 40)
    assert worker.offer(lambda: None, 60, always=True)
    assert not worker.drain(0.05)
    gate.set()
    assert worker.drain(10)
    assert worker.offer(lambda: None, 60)


def test_a_job_larger_than_the_queue_is_taken_when_it_is_alone() -> None:
    worker = Worker(10, "test")
    assert worker.offer(lambda: None, 1000)
    assert worker.drain(10)


def test_waiting_for_room_ends_when_there_is_some() -> None:
    gate = threading.Event()
    worker = Worker(10, "test")
    worker.offer(lambda: gate.wait(10) and None, 10)
    threading.Timer(0.1, gate.set).start()
    assert worker.offer(lambda: None, 10, wait=True)
    assert worker.drain(10)


def test_closing_runs_what_is_queued_and_takes_no_more() -> None:
    done: list[int] = []
    worker = Worker(10, "test")
    worker.offer(lambda: done.append(1), 1)
    assert worker.close(10)
    assert not worker.offer(lambda: done.append(2), 1)
    assert done == [1]
