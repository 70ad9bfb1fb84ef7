"""Errors of a run at points in processor time."""
import time

import numpy as np


class TimeUp(Exception):
    pass


class Clock:
    """Measures errors at times that grow by a tenth. The clock stops meanwhile."""

    def __init__(self, seconds, measure):
        self.seconds, self.measure = seconds, measure
        self.records = []  # (seconds, lowest training error, held-out errors where the validation error was lowest)
        self.train = self.valid = np.inf
        self.test = (np.nan, np.nan)
        self.excluded, self.due = 0.0, 0.0

    def start(self, parameters):
        self.begin = time.process_time()
        self.record(0, parameters)
        self.due = 1e-4

    def restart(self):
        """Called after preparations that the library would not need if it took the first weights as an argument."""
        self.begin, self.excluded = time.process_time(), 0.0

    def tick(self, parameters):
        """Called after each step or epoch. `parameters`: a function that returns them, layer by layer."""
        now = time.process_time() - self.begin - self.excluded
        if now > self.seconds:
            raise TimeUp
        if now >= self.due:
            self.record(now, parameters())
            self.due = 1.1 * now

    def finish(self, parameters):
        """Called when a method ends by itself."""
        now = time.process_time() - self.begin - self.excluded
        if now <= self.seconds:
            self.record(now, parameters)

    def record(self, now, parameters):
        start = time.process_time()
        train, valid, test = self.measure(parameters)
        self.train = min(self.train, train)
        if valid < self.valid:
            self.valid, self.test = valid, test
        self.records.append((now, self.train, self.valid, *self.test))
        self.excluded += time.process_time() - start
