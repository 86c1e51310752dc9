"""A disk whose fsync is slow or fails, on command: a shim that is preloaded into a program of ours.

disk = FailingDisk.built(tmp_path)          # None: there is no C compiler here
subprocess.Popen(…, env={**os.environ, **disk.environment})
disk.be(seconds=0.005)                      # every fsync and fdatasync takes 5 ms longer
disk.be(error=errno.EIO)                    # … or fails
disk.be(error=errno.ENOSPC, of="write")     # every write to a database file fails
disk.be()                                   # all is well again
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

WHY_NOT = "there is no C compiler here to build the failing disk with (gcc or cc)"

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What is to go wrong stands in the file DIGEST_DISK: microseconds, errno of fsync, errno of write. */
static void wishes(long *pause, int *sync_error, int *write_error) {
    *pause = 0; *sync_error = 0; *write_error = 0;
    const char *path = getenv("DIGEST_DISK");
    if (!path) return;
    int before = errno;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        char text[64];
        ssize_t got = read(file, text, sizeof text - 1);
        close(file);
        if (got > 0) {
            text[got] = 0;
            sscanf(text, "%ld %d %d", pause, sync_error, write_error);
        }
    }
    errno = before;
}

static int trouble(void) {
    long pause; int error, unused;
    wishes(&pause, &error, &unused);
    if (pause > 0) {
        struct timespec rest = {pause / 1000000, (pause % 1000000) * 1000};
        nanosleep(&rest, NULL);
    }
    return error;
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    int error = trouble();
    if (error) { errno = error; return -1; }
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    int error = trouble();
    if (error) { errno = error; return -1; }
    return real(file);
}

static int is_ours(int file) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t got = readlink(link, path, sizeof path - 1);
    if (got <= 0) return 0;
    path[got] = 0;
    return strstr(path, ".db") != NULL;
}

static int write_trouble(int file) {
    long pause; int unused, error;
    wishes(&pause, &unused, &error);
    return error && is_ours(file) ? error : 0;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    int error = write_trouble(file);
    if (error) { errno = error; return -1; }
    return real(file, bytes, count, place);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t place) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    int error = write_trouble(file);
    if (error) { errno = error; return -1; }
    return real(file, bytes, count, place);
}
"""


class FailingDisk:
    """environment: what a program must be given to stand on this disk."""

    def __init__(self, library: Path, wishes: Path) -> None:
        self._wishes = wishes
        self.environment = {"LD_PRELOAD": str(library), "DIGEST_DISK": str(wishes)}
        self.be()

    @classmethod
    def built(cls, folder: Path) -> FailingDisk | None:
        """None: it cannot be built here (`WHY_NOT`)."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            return None
        source, library = folder / "failing_disk.c", folder / "failing_disk.so"
        source.write_text(_SOURCE)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(source), "-ldl"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        return cls(library, folder / "disk")

    def be(self, *, seconds: float = 0.0, error: int = 0, of: str = "fsync") -> None:
        """From the next call on. of: `fsync` (and fdatasync) or `write`: what fails with this error."""
        sync, write = (error, 0) if of == "fsync" else (0, error)
        fresh = self._wishes.with_suffix(".new")
        fresh.write_text(f"{seconds * 1e6:.0f} {sync} {write}\n")
        fresh.replace(self._wishes)
