"""How often somebody failed to log in of late, and how long he has to wait for that."""

import time
from collections import OrderedDict
from collections.abc import Callable

WINDOW = 60.0
"""Seconds after which a failure is forgotten."""
FREE = 3
"""Failures that are answered at once: people mistype."""
STEP, LONGEST = 0.25, 2.0
"""Seconds by which later answers are slower, each twice the one before."""
MOST_USER, MOST_ADDRESS = 20, 200
"""Failures of one user from one address, and of all users from one address, after which nothing is looked at."""
_KEPT = 10_000

Key = tuple[str, str]


class Attempts:
    """Counts failures by address and by address and user, whether or not there is such a user."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[Key, list[float]] = OrderedDict()

    def wait(self, address: str, user: str) -> float:
        """Seconds until somebody may try again; 0 for now."""
        return max(self._left((address, user), MOST_USER), self._left((address, ""), MOST_ADDRESS))

    def failed(self, address: str, user: str) -> float:
        """Counts a failure. Gives back the seconds by which its answer is to come later."""
        now = self._clock()
        for key in ((address, user), (address, "")):
            times = [*self._recent(key, now), now]
            self._failed[key] = times[-MOST_ADDRESS:]
            self._failed.move_to_end(key)
        while len(self._failed) > _KEPT:
            self._failed.popitem(last=False)
        over = len(self._failed[address, user]) - FREE
        return min(LONGEST, STEP * 2.0 ** min(over - 1, 10)) if over > 0 else 0.0

    def succeeded(self, address: str, user: str) -> None:
        """Forgets the failures of a user who knows the password after all."""
        self._failed.pop((address, user), None)

    def _left(self, key: Key, most: int) -> float:
        now = self._clock()
        times = self._recent(key, now)
        return times[-most] + WINDOW - now if len(times) >= most else 0.0

    def _recent(self, key: Key, now: float) -> list[float]:
        return [each for each in self._failed.get(key, ()) if each > now - WINDOW]
