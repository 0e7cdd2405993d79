"""A Redis that is slow, gone, another one, or forbids: it never holds up the proxy.

Each process then tells what it knows by itself, and asks again after a while.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from typing import Callable

import pytest
from asking import KEY, Process, cache_of, until
from servers import Server, running_server

from litellm_patch import log
from litellm_patch.seams.record import redis_questions, shared_queue
from litellm_patch.seams.record.redis_questions import PATIENCE, Questions
from litellm_patch.tools.lab import redis as lab_redis
from litellm_patch.tools.lab.proxy import free_port
from litellm_patch.tools.lab.redis import Redis

pytestmark = pytest.mark.skipif(
    bool(lab_redis.missing()), reason=f"this machine has no {', '.join(lab_redis.missing())}"
)

PASSWORD = "sk-not-to-be-logged"


@pytest.fixture
def server(tmp_path):
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
def process(server, quick_pauses):
    """One that has asked already. (A busy machine may be late by itself.)"""
    process = Process(cache_of(server.port))
    until(process.seconds)
    until(process.place)
    server.ask("flushall")
    server.ask("set", KEY, "{}", "px", "60000")
    log._said.clear()  # a busy machine may have been late already
    return process


@pytest.fixture
def quick_pauses(monkeypatch):
    monkeypatch.setattr(redis_questions, "LONGEST_PAUSE", 0.1)


@pytest.fixture(autouse=True)
def logged(monkeypatch, caplog):
    monkeypatch.setattr(log, "_said", {})
    caplog.set_level(logging.INFO, logger="litellm_patch")
    return caplog


def until_left_alone(ask: Callable[[], float | None]) -> None:
    deadline = time.monotonic() + 90
    while ask() is not None:
        assert time.monotonic() < deadline, "it is still asked"


def until_said(logged: pytest.LogCaptureFixture, ask: Callable[[], object], words: str) -> None:
    """An answer may be on its way when it is not waited for any more."""
    deadline = time.monotonic() + 90
    while not any(words in line for line in warnings(logged)):
        assert time.monotonic() < deadline, "it is not said"
        ask()
        time.sleep(0.02)


def warnings(logged: pytest.LogCaptureFixture) -> list[str]:
    return sorted(r.getMessage() for r in logged.records if r.name == "litellm_patch")


def test_a_redis_that_hangs_holds_up_a_thousand_refusals_for_one_moment(server, logged):
    process = Process(cache_of(server.port))
    until(process.seconds)
    until(process.place)
    before = [questions.waits for questions in process.questions]
    server.hang()
    assert not any(process.seconds() or process.place() for _ in range(1000))
    waits = [questions.waits for questions in process.questions]
    # On a busy machine it may have been left alone already.
    assert all(now - then <= 1 for now, then in zip(waits, before))
    assert 2 * PATIENCE < 0.05
    until(lambda: len(warnings(logged)) == 2 or None)
    server.go_on()
    assert 0 < until(process.seconds) <= 60
    assert until(process.place) > 29


def test_places_that_a_process_gave_meanwhile_are_given_to_nobody_else(server, process):
    first, process.reports = until(process.place), True
    server.hang()
    assert not any(process.place() for _ in range(41))
    server.go_on()
    assert until(process.place) > first + 20  # two a second


def test_an_answer_that_is_late_is_of_use_to_the_next_refusals(server, process):
    server.ask("client", "pause", "300", "all")
    assert process.expiries.seconds(process.redis, KEY, 0.5) is None
    assert until(lambda: process.expiries.seconds(process.redis, KEY, 0.5)) <= 60
    asked = Redis(server.port).calls()["pttl"]
    assert 0 < process.expiries.seconds(process.redis, KEY, 0.5) <= 60
    assert Redis(server.port).calls()["pttl"] == asked


def test_a_redis_that_answers_just_in_time_is_not_asked_for_each_refusal():
    questions = Questions("anything", "nothing")
    answers = [questions.ask(lambda: time.sleep(0.008) or 1) for _ in range(100)]
    assert sum(answer is not None for answer in answers) < 20


def test_a_redis_that_is_down_is_told_once_and_one_that_is_started_again_is_used(
    server, process, logged
):
    server.stop()
    until_left_alone(process.seconds)
    until_said(logged, process.seconds, "time left of cooldowns")
    until_said(logged, process.place, "places of waiting clients")
    lines = warnings(logged)
    assert len(lines) == 2
    assert "each process has a queue of its own" in "".join(lines)
    server.start()
    assert until(process.seconds) <= 0  # the cooldown is gone with it
    assert until(process.place) > 29
    assert warnings(logged) == lines


def test_a_redis_that_is_flushed_has_no_cooldown_and_a_queue_that_begins(server, process):
    first, second = until(process.place), until(process.place)
    assert second > first + 0.3
    server.ask("flushall")
    assert until(process.seconds) <= 0
    assert until(process.place) <= first + 0.1


@pytest.mark.parametrize("ahead", [5, -5])
def test_a_clock_that_differs_changes_no_place(process, monkeypatch, ahead):
    first, clock = until(process.place), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + ahead)
    assert first + 0.3 < until(process.place) < first + 3
    assert 0 < until(process.seconds) <= 60


def test_emptied_scripts_change_nothing(server, process):
    first = until(process.place)
    server.ask("script", "flush")
    assert until(process.place) > first + 0.3


def test_a_redis_that_is_read_only_tells_times_but_gives_no_places(server, process, logged):
    server.ask("replicaof", "127.0.0.1", "1")
    until_left_alone(process.place)
    assert 0 < until(process.seconds) <= 60
    until_said(logged, process.place, "places of waiting clients")
    server.ask("replicaof", "no", "one")
    assert until(process.place) > 29


def test_a_replica_that_takes_over_goes_on_with_the_queue(server, process, tmp_path):
    (tmp_path / "replica").mkdir()
    replica = Server(tmp_path / "replica", ["--replicaof", "127.0.0.1", str(server.port)])
    replica.start()
    try:
        until(lambda: True if "link_status:up" in replica.ask("info", "replication") else None)
        last = [until(process.place) for _ in range(5)][-1]
        server.ask("wait", "1", "5000")
        replica.ask("replicaof", "no", "one")
        server.stop()
        process.redis = cache_of(replica.port)
        assert until(process.place) > last + 0.3
    finally:
        replica.stop()


def test_without_the_right_to_run_scripts_only_times_are_told(server, process, logged):
    server.ask("acl", "setuser", "default", "-@scripting")
    until_left_alone(process.place)
    assert 0 < until(process.seconds) <= 60
    until_said(logged, process.place, "places of waiting clients")


def test_a_password_that_changed_is_not_logged(server, process, logged):
    server.ask("config", "set", "requirepass", PASSWORD)
    server.ask("-a", PASSWORD, "client", "kill", "type", "normal", "skipme", "yes")
    until_said(logged, process.place, "places of waiting clients")
    until_said(logged, process.seconds, "time left of cooldowns")
    assert len(warnings(logged)) == 2
    assert PASSWORD not in "".join(warnings(logged))
    server.ask("-a", PASSWORD, "config", "set", "requirepass", "")
    assert until(process.place) > 29


@pytest.mark.skipif(shutil.which("openssl") is None, reason="this machine has no openssl")
def test_a_redis_behind_tls(tmp_path, quick_pauses):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    port = free_port()
    secure = Server(
        tmp_path,
        ["--tls-port", str(port), "--tls-cert-file", str(certificate)]
        + ["--tls-key-file", str(key), "--tls-auth-clients", "no"],
    )
    try:
        try:
            secure.start()
        except OSError:
            pytest.skip("this redis-server knows no TLS")
        secure.ask("set", KEY, "{}", "px", "60000")
        process = Process(cache_of(port, ssl=True, ssl_ca_certs=str(certificate)))
        assert 0 < until(process.seconds) <= 60
        assert until(process.place) > 29
    finally:
        secure.stop()


def test_a_cluster_has_each_queue_in_one_of_its_nodes(tmp_path, quick_pauses):
    clusters = pytest.importorskip("litellm.caching.redis_cluster_cache")
    # Its other port is 10,000 above the first, which may be more than there are.
    bus = ["--cluster-port", str(free_port())]
    node = Server(tmp_path, ["--cluster-enabled", "yes", *bus])
    node.start()
    try:
        node.ask("cluster", "addslotsrange", "0", "16383")
        until(lambda: True if "cluster_state:ok" in node.ask("cluster", "info") else None)
        node.ask("set", KEY, "{}", "px", "60000")
        nodes = [{"host": "127.0.0.1", "port": node.port}]
        process = Process(clusters.RedisClusterCache(startup_nodes=nodes))
        assert 0 < until(process.seconds) <= 60
        first = until(process.place)
        assert until(process.place) > first + 0.3
    finally:
        node.stop()


def test_two_versions_share_what_they_understand(server, process, monkeypatch):
    first = until(process.place)
    newer = Process(process.redis)
    newer.began = process.began
    monkeypatch.setattr(shared_queue, "SCRIPT", shared_queue.SCRIPT + "\n-- newer\n")
    monkeypatch.setattr(shared_queue, "_SHA", "0" * 40)
    assert until(newer.place) > first + 0.3
    monkeypatch.setattr(shared_queue, "LAYOUT", shared_queue.LAYOUT + 1)
    assert until(newer.place) <= first + 0.1


def test_keys_have_litellms_namespace_and_name_no_deployment(server, quick_pauses):
    process = Process(cache_of(server.port, namespace="tenant"))
    until(lambda: process.place("sk-secret-1234|other"))
    (key,) = server.ask("keys", "*queue*").split()
    assert key.startswith("tenant:litellm_patch:queue:2:{")
    assert "sk-secret" not in key
    assert len(key) < 80
