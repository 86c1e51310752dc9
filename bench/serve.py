"""A feed that everybody polls: our service process and nginx, with the same bytes, asked by wrk in turns.

Ours is `digest run` as an admin starts it, scheduler and all, with a database of its own; nginx serves the
file and its `gzip_static` neighbour with one worker process. wrk has the same processors as both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from digest.model import Document
from digest.packing import pack
from digest.store import Store

ROOT = Path(__file__).parent.parent
SIZE = 60_000
PATH = "/world/feed/1.atom"  # an archive's name: the service builds none of its own over it
CONFIG = """
site: {{title: Bench, url: "http://127.0.0.1:{port}"}}
database: sqlite:///bench.db
email: {{from: "Bench <news@example.org>", transport: inbox}}
newsletters:
  world:
    title: World
    schedule: {{at: "07:00", zone: UTC}}
    feeds: [{{url: city.xml}}]
"""
NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  sendfile on;
  tcp_nopush on;
  etag on;
  gzip_static on;
  gzip_vary on;
  types {{ application/atom+xml atom; }}
  add_header Cache-Control "public, max-age=900";
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""
GOALS = {"200, plain": 0.33, "200, gzip": 0.24, "304": 0.27}


def feed() -> bytes:
    """Some 60 KB that pack as text does."""
    words = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    entries, number = [], 0
    while sum(map(len, entries)) < SIZE:
        part = words[number * 997 : number * 997 + 1_500].replace("&", "+").replace("<", "(")
        entries.append(f"<entry><id>tag:bench,{number}</id><content>{part}</content></entry>\n")
        number += 1
    return f'<feed xmlns="http://www.w3.org/2005/Atom">\n{"".join(entries)}</feed>\n'.encode()[:SIZE]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, path: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    """The answer, once there is one."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            connection.close()
        except OSError:
            answer = None
        if answer is not None and answer.status < 500:
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"no answer on port {port}")
        time.sleep(0.1)


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    with (folder / "output.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def publish(url: str, body: bytes) -> None:
    [(small, smaller)] = pack([body])
    store = await Store.open(url)
    try:
        await store.documents.put(
            Document(
                path=PATH,
                newsletter="world",
                content_type="application/atom+xml; charset=utf-8",
                body=body,
                etag='"0123456789abcdef0123456789abcdef"',
                last_modified=datetime(2026, 11, 22, 7, tzinfo=UTC),
                gzip=small,
                brotli=smaller,
            )
        )
    finally:
        await store.close()


@contextlib.contextmanager
def ours(folder: Path, body: bytes) -> Iterator[tuple[int, int]]:
    port = free_port()
    folder.mkdir()
    shutil.copy(ROOT / "examples" / "feeds" / "city.xml", folder)
    (folder / "config.yaml").write_text(CONFIG.format(port=port))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    digest = [sys.executable, "-m", "digest"]
    subprocess.run([*digest, "pull"], cwd=folder, env=environment, check=True, capture_output=True)
    asyncio.run(publish(f"sqlite:///{folder / 'bench.db'}", body))
    with running([*digest, "run", "--port", str(port)], folder, environment) as pid:
        wait_for(port, PATH, {})
        yield port, pid


@contextlib.contextmanager
def theirs(folder: Path, body: bytes) -> Iterator[tuple[int, int]]:
    port = free_port()
    target = folder / "www" / PATH.lstrip("/")
    target.parent.mkdir(parents=True)
    target.write_bytes(body)
    target.with_name(target.name + ".gz").write_bytes(gzip.compress(body, 9, mtime=0))
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o755)
    with running(["nginx", "-c", str(config)], folder, os.environ) as pid:
        wait_for(port, PATH, {})
        yield port, pid


def cpu_of(pid: int) -> float:
    """Seconds of processor that this process and its children have used."""
    used = 0.0
    for each in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in found.read_text().split()] if found.exists() else []


def wrk(port: int, headers: Mapping[str, str], *, seconds: int, connections: int, status: int) -> float:
    """Requests a second; the answers must be what was meant."""
    said = wait_for(port, PATH, headers)
    if said.status != status:
        sys.exit(f"port {port} answered {said.status} instead of {status}")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    out = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{PATH}"], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in out and status == 200:
        sys.exit(f"wrk met other answers than 200:\n{out}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", out)
    return float(found[1]) if found else 0.0


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args(options)
    missing = [name for name in ("wrk", "nginx") if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)} (apt-get install wrk nginx-light); left out")
        return
    body = feed()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        Path(name).chmod(0o755)
        servers = {
            "nginx": stack.enter_context(theirs(Path(name) / "nginx", body)),
            "digest": stack.enter_context(ours(Path(name) / "digest", body)),
        }
        ports = {each: port for each, (port, _) in servers.items()}
        packed = {"Accept-Encoding": "gzip"}
        tags = {each: wait_for(port, PATH, packed).headers["etag"] for each, port in ports.items()}
        cases = {
            "200, plain": (200, {each: {} for each in ports}),
            "200, gzip": (200, dict.fromkeys(ports, packed)),
            "304": (304, {each: {**packed, "If-None-Match": tags[each]} for each in ports}),
        }
        print(f"\na feed of {len(body):,} bytes, {asked.connections} connections, {asked.rounds} rounds")
        print(
            f"  {'':12} {'nginx/s':>10} {'digest/s':>10} {'of nginx':>10} {'lowest':>8} {'goal':>6}"
            f" {'nginx µs':>9} {'ours µs':>9} {'of nginx':>9}"
        )
        for case, (status, headers) in cases.items():
            rates: dict[str, list[float]] = {each: [] for each in ports}
            costs: dict[str, list[float]] = {each: [] for each in ports}
            for _ in range(asked.rounds):
                for each, (port, pid) in servers.items():
                    before = cpu_of(pid)
                    rate = wrk(
                        port,
                        headers[each],
                        seconds=asked.seconds,
                        connections=asked.connections,
                        status=status,
                    )
                    rates[each].append(rate)
                    costs[each].append((cpu_of(pid) - before) / max(rate * asked.seconds, 1) * 1e6)
            ratios = [mine / other for mine, other in zip(rates["digest"], rates["nginx"], strict=True)]
            dear = [mine / other for mine, other in zip(costs["digest"], costs["nginx"], strict=True)]
            spent = {each: statistics.median(found) for each, found in costs.items()}
            medians = {each: statistics.median(found) for each, found in rates.items()}
            print(
                f"  {case:12} {medians['nginx']:10,.0f} {medians['digest']:10,.0f}"
                f" {statistics.median(ratios):10.2f} {min(ratios):8.2f} {GOALS[case]:6.2f}"
                f" {spent['nginx']:9.1f} {spent['digest']:9.1f} {1 / statistics.median(dear):9.2f}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
