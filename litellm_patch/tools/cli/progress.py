"""Show that something long goes on: a line that is redrawn on a terminal, one line elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType


class Progress:
    """Progress of one step on stderr. `tick` may be called from any thread, at any rate."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._redraw = sys.stderr.isatty()
        self._shown = -1
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        if not self._redraw:
            print(f"{self._step} ...", file=sys.stderr, flush=True)
        return self

    def tick(self, seconds: float) -> None:
        """Show that `seconds` have passed since the step began."""
        with self._lock:
            if self._redraw and int(seconds) != self._shown:
                self._shown = int(seconds)
                sys.stderr.write(f"\r{self._step} ... {self._shown} s ")
                sys.stderr.flush()

    def done(self) -> None:
        """End the line."""
        with self._lock:
            if self._redraw and self._shown >= 0:
                sys.stderr.write("\n")
                self._shown = -1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.done()
