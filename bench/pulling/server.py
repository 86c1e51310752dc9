"""A local nginx that serves the feeds from many loopback addresses, and its log, which tells who asked."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path
from types import TracebackType

HOSTS = 500  # of 2,000 feeds four share an address, as blogs on a common host do

_CONFIG = """
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 8192;
pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
  log_format seen '$status $uri'; access_log {home}/access.log seen;
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
  uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
  default_type application/rss+xml; types {{ }} sendfile on; tcp_nopush on; gzip_static on; gzip_vary on;
  server {{ root {root}; {listen} }}
}}
"""


class Nginx:
    """Serves a folder while it is open."""

    def __init__(self, home: Path, root: Path, hosts: int = HOSTS) -> None:
        self.hosts = [f"127.77.{number // 250}.{number % 250 + 1}" for number in range(hosts)]
        self.port = _free_port()
        self._home = home
        self._read = 0
        listen = " ".join(f"listen {host}:{self.port} backlog=1024;" for host in self.hosts)
        (home / "nginx.conf").write_text(_CONFIG.format(home=home, root=root, listen=listen))
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

    def url(self, number: int, name: str) -> str:
        return f"http://{self.hosts[number % len(self.hosts)]}:{self.port}/{name}"

    def __enter__(self) -> Nginx:
        command = [str(self.program()), "-p", str(self._home), "-c", str(self._home / "nginx.conf")]
        with (self._home / "nginx.out").open("wb") as out:
            # Its own session: a Ctrl-C in the terminal is for us, who stop it when all is put away.
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                said = (self._home / "nginx.out").read_text() + (self._home / "error.log").read_text()
                raise RuntimeError(f"nginx did not start: {said[-500:]}")
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.hosts[-1], self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answers(self) -> Counter[tuple[str, str]]:
        """What was answered since this was asked last: how often each (status, path)."""
        with (self._home / "access.log").open() as log:
            log.seek(self._read)
            found = Counter(tuple(line.split()) for line in log)
            self._read = log.tell()
        return found  # type: ignore[return-value]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.77.0.1", 0))
        return int(probe.getsockname()[1])
