"""The secret's file: made once, readable by its owner only, and never made over."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from digest.config.settings import Settings
from digest.model import DigestError

SHORTEST = 32


def ensure_secret(settings: Settings) -> Settings:
    """The settings with their secret; its file is made (0600) if it was not there.

    Two processes that start at once end up with the same one. Raises DigestError.
    """
    if settings.secret:
        return settings
    if settings.secret_file is None:
        raise DigestError("the config gives neither a secret nor a file for it")
    path = settings.secret_file
    try:
        _make(path)
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise DigestError(f"the secret cannot be kept in {path}: {error.strerror}") from error
    if len(secret) < SHORTEST:
        raise DigestError(f"{path} is shorter than {SHORTEST} characters; nothing is signed with it")
    return replace(settings, secret=secret.encode())


def _make(path: Path) -> None:
    """Written elsewhere, then linked to its name: never seen half written, and the first one stays."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
