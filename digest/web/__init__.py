"""The web: pages where people read, ask, confirm and leave; feeds; health.

Knows nothing of feeds coming in, of summaries or of sending: it meets them in the store.
"""

from digest.web.app import build_app
from digest.web.health import Health
from digest.web.lent import WebLent

__all__ = ["Health", "WebLent", "build_app"]
