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
import struct
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
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* What is to go wrong stands in the file DIGEST_DISK. It is looked at before every write, so it is mapped:
 * opened each time, it took a tenth of what a sender can do. */
struct wishes {
    volatile long microseconds, sync_error, write_error;
};

static const struct wishes *wishes(void) {
    static const struct wishes none, *found;
    if (found) return found;
    int before = errno;
    const char *path = getenv("DIGEST_DISK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    errno = before;
    return found = mapped == MAP_FAILED ? &none : mapped;
}

static int trouble(void) {
    long microseconds = wishes()->microseconds;
    if (microseconds > 0) {
        struct timespec rest = {microseconds / 1000000, (microseconds % 1000000) * 1000};
        nanosleep(&rest, NULL);
    }
    return wishes()->sync_error;
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
    int error = wishes()->write_error;
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
        wishes.touch()
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
        with self._wishes.open("r+b") as file:  # the same file for good: it is mapped
            file.write(struct.pack("3l", round(seconds * 1e6), sync, write))
