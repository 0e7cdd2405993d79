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
from asking import KEY, Process, cache_of
from polling import lines, until
from redis_server import Redis
from servers import Server, needs_redis, running_server

from litellm_patch import log
from litellm_patch.seams.record import redis_questions, shared_queue
from litellm_patch.seams.record.redis_questions import PATIENCE
from litellm_patch.tools.lab.proxy import free_port

pytestmark = needs_redis

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
    until(lambda: ask() is None)


def until_said(logged: pytest.LogCaptureFixture, ask: Callable[[], object], words: str) -> None:
    """An answer may be on its way when it is not waited for any more."""

    def said() -> bool:
        ask()
        return any(words in line for line in lines(logged))

    until(said)


def test_a_redis_that_hangs_holds_up_a_thousand_refusals_for_one_moment(
    server, logged, quick_pauses
):
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
    until(lambda: len(lines(logged)) == 2)
    server.go_on()
    server.ask("set", KEY, "{}", "px", "60000")  # it may have been over meanwhile
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


def test_a_redis_that_is_down_is_told_once_and_one_that_is_started_again_is_used(
    server, process, logged
):
    server.stop()
    until_left_alone(process.seconds)
    until_said(logged, process.seconds, "time left of cooldowns")
    until_said(logged, process.place, "places of waiting clients")
    said = lines(logged)
    assert len(said) == 2
    assert "each process has a queue of its own" in "".join(said)
    server.start()
    assert until(process.seconds) <= 0  # the cooldown is gone with it
    assert until(process.place) > 29
    assert lines(logged) == said


def test_a_redis_without_its_scripts_goes_on_and_a_flushed_one_begins_anew(server, process):
    first = until(process.place)
    server.ask("script", "flush")
    assert until(process.place) > first + 0.3
    server.ask("flushall")
    assert until(process.seconds) <= 0
    assert until(process.place) <= first + 0.1


@pytest.mark.parametrize("ahead", [5, -5])
def test_a_clock_that_differs_changes_no_place(process, monkeypatch, ahead):
    first, clock = until(process.place), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + ahead)
    assert first + 0.3 < until(process.place) < first + 3
    assert 0 < until(process.seconds) <= 60


@pytest.mark.parametrize(
    "forbid, allow",
    [
        ("replicaof 127.0.0.1 1", "replicaof no one"),  # it is read-only
        ("acl setuser default -@scripting", "acl setuser default +@scripting"),
    ],
)
def test_a_redis_that_forbids_scripts_tells_times_but_gives_no_places(
    server, process, logged, forbid, allow
):
    server.ask(*forbid.split())
    until_left_alone(process.place)
    assert 0 < until(process.seconds) <= 60
    until_said(logged, process.place, "places of waiting clients")
    server.ask(*allow.split())
    assert until(process.place) > 29


def test_a_replica_that_takes_over_goes_on_with_the_queue(server, process, tmp_path):
    (tmp_path / "replica").mkdir()
    replica = Server(tmp_path / "replica", ["--replicaof", "127.0.0.1", str(server.port)])
    replica.start()
    try:
        until(lambda: "link_status:up" in replica.ask("info", "replication"))
        last = [until(process.place) for _ in range(5)][-1]
        (key,) = server.ask("keys", "*queue*").split()
        given = server.ask("hget", key, "given")
        until(lambda: replica.ask("hget", key, "given") == given)
        replica.ask("replicaof", "no", "one")
        server.stop()
        process.redis = cache_of(replica.port)
        assert until(process.place) > last + 0.3
    finally:
        replica.stop()


def test_a_password_that_changed_is_not_logged(server, process, logged):
    server.ask("config", "set", "requirepass", PASSWORD)
    server.ask("-a", PASSWORD, "client", "kill", "type", "normal", "skipme", "yes")
    until_said(logged, process.place, "places of waiting clients")
    until_said(logged, process.seconds, "time left of cooldowns")
    assert len(lines(logged)) == 2
    assert PASSWORD not in "".join(lines(logged))
    server.ask("-a", PASSWORD, "config", "set", "requirepass", "")
    assert until(process.place) > 29


@pytest.mark.skipif(shutil.which("openssl") is None, reason="this machine has no openssl")
def test_a_redis_behind_tls_with_a_namespace(tmp_path, quick_pauses):
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
        secure.ask("set", f"tenant:{KEY}", "{}", "px", "60000")
        cache = cache_of(port, namespace="tenant", ssl=True, ssl_ca_certs=str(certificate))
        process = Process(cache)
        assert 0 < until(process.seconds) <= 60
        assert until(process.place) > 29
        assert secure.ask("keys", "*queue*").startswith("tenant:")
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
        until(lambda: "cluster_state:ok" in node.ask("cluster", "info"))
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
