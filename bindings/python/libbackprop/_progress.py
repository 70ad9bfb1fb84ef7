"""Shows the progress of a fit: a bar of tqdm if it is installed, otherwise a line on stderr."""
from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional, Union

from .trainer import Progress

__all__ = ["displayed"]


@contextmanager
def displayed(progress: Union[bool, Callable[[Progress], Any], None]) -> Iterator[Optional[Callable[[Progress], Any]]]:
    """The progress function of a fit: a display for True, none for False and None."""
    if progress is not True:
        yield progress or None
        return
    shown: Union[_Bar, _Line]
    try:
        shown = _Bar(importlib.import_module("tqdm.auto").tqdm)
    except ImportError:
        shown = _Line()
    try:
        yield shown.show
    finally:
        shown.close()


def _losses(now: Progress) -> dict[str, str]:
    losses = {"loss": f"{now.loss:.4g}"}
    if not math.isnan(now.validation_loss):
        losses["validation"] = f"{now.validation_loss:.4g}"
    return losses


class _Bar:
    """A bar over the epochs of all restarts. The last report remains visible, as that of a line."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm, self._restarts = tqdm, 1
        self._bar: Any = None

    def show(self, now: Progress) -> None:
        if self._bar is None:
            self._bar = self._tqdm(total=now.epochs, initial=now.epoch - now.epoch_ended, unit="epoch")
        if now.epoch_ended:
            self._restarts = max(self._restarts, now.restart + 1)
            self._bar.total = max(self._bar.total, self._restarts * now.epochs)
            self._bar.set_postfix(_losses(now), refresh=False)
            self._bar.update()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Line:
    """A line on stderr. A terminal shows it again at most ten times a second; another stream gets at most ten lines."""

    def __init__(self) -> None:
        self._terminal, self._shown, self._text, self._printed = sys.stderr.isatty(), 0.0, "", ""

    def show(self, now: Progress) -> None:
        if not now.epoch_ended:
            return
        losses = ", ".join(f"{name} {value}" for name, value in _losses(now).items())
        restart = f"restart {now.restart}, " if now.restart else ""
        self._text = f"{restart}epoch {now.epoch} of {now.epochs}: {losses}"
        if self._terminal:
            if time.monotonic() - self._shown >= 0.1:
                self._print()
        elif now.epoch % max(1, now.epochs // 10) == 0:
            self._print()

    def _print(self) -> None:
        self._shown, self._printed = time.monotonic(), self._text
        print(f"\r{self._text}\033[K" if self._terminal else self._text, end="" if self._terminal else "\n", file=sys.stderr,
              flush=True)

    def close(self) -> None:
        if self._text != self._printed:
            self._print()
        if self._terminal and self._printed:
            print(file=sys.stderr)
