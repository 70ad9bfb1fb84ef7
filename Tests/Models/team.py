"""The thread team's protocol (Sources/CPlatform/threads.c) as a model: a caller that runs three jobs, and two helpers.

Every interleaving of their steps is explored; a step is one access to shared memory. These properties must hold in each state:
  - each share is done once, with the task and the context of its job;
  - a job returns when all its shares are done;
  - once the caller has woken the helpers, none sleeps on an older job;
  - the end can be reached from every state: the caller does not wait forever.
The model is sequentially consistent. The release order of `next` makes the stores visible in this order: a thread that reads
a later store of the caller also reads that `next` is closed, and its compare-and-swap fails.

As a test of the checker, it must find the faults of other orders.
"""
import sys
from typing import Callable, Iterator, NamedTuple

Shares = tuple[int, ...]  # of each job: a job with more shares than the job before makes an old index valid
THREE_JOBS: Shares = (2, 3, 2)
TWO_JOBS: Shares = (2, 3)  # enough for the faults
CLOSED = 99  # the index that no share has
HELPERS = 2


class Thread(NamedTuple):
    """The caller (0) or a helper: the next step and the values it has read."""
    step: str
    seen: int = 0  # the job it works on
    next: tuple[int, int] = (0, 0)
    count: int = 0
    task: int = 0
    context: int = 0


class State(NamedTuple):
    threads: tuple[Thread, ...]
    number: int = 0
    next: tuple[int, int] = (0, 0)
    done: int = 0
    count: int = 0
    task: int = 0
    context: int = 0
    sleepers: int = 0
    begun: Shares = ()  # bit masks: the shares of each job that were started


class Fault(Exception):
    pass


Order = tuple[str, ...]
PRESENT: Order = ("close", "done", "count", "task", "context", "open", "number", "wake")
FAULTY: dict[str, Order] = {
    "next is not closed": ("done", "count", "task", "context", "open", "number", "wake"),
    "next is closed after count": ("done", "count", "close", "task", "context", "open", "number", "wake"),
    "done is cleared after the number": ("close", "count", "task", "context", "open", "number", "done", "wake"),
    "sleepers are not woken": ("close", "done", "count", "task", "context", "open", "number"),
    "sleepers are woken too early": ("close", "done", "count", "task", "context", "open", "wake", "number"),
}

STORES: dict[str, Callable[[State, int, int], State]] = {
    "close": lambda s, job, count: s._replace(next=(job, CLOSED)),
    "done": lambda s, job, count: s._replace(done=0),
    "count": lambda s, job, count: s._replace(count=count),
    "task": lambda s, job, count: s._replace(task=job),
    "context": lambda s, job, count: s._replace(context=job),
    "open": lambda s, job, count: s._replace(next=(job, 0)),
    "number": lambda s, job, count: s._replace(number=job),
}


def put(state: State, who: int, **changes) -> State:
    threads = list(state.threads)
    threads[who] = threads[who]._replace(**changes)
    return state._replace(threads=tuple(threads))


READ = {"next": (0, 0), "count": 0, "task": 0, "context": 0}  # reset as soon as possible, which reduces the number of states


def work(state: State, who: int, after: str) -> State:
    """One step of work(seen), which continues with the step `after`."""
    me = state.threads[who]
    if me.step == "read next":
        return put(state, who, step="read count", next=state.next)
    if me.step == "read count":
        return put(state, who, step="read task", count=state.count)
    if me.step == "read task":
        return put(state, who, step="read context", task=state.task)
    if me.step == "read context":
        number, index = me.next
        leaves = number != me.seen or index >= me.count
        if leaves:
            return put(state, who, step=after, **READ)
        return put(state, who, step="claim", count=0, context=state.context)
    if me.step == "claim":
        if state.next != me.next:
            return put(state, who, step="read count", next=state.next, task=0, context=0)
        number, index = me.next
        return put(state._replace(next=(number, index + 1)), who, step="run")
    if me.step == "run":
        number, index = me.next
        if not me.task == me.context == number:
            raise Fault(f"share {index} of job {number} is done with task {me.task} and context {me.context}")
        if state.begun[number - 1] >> index & 1:
            raise Fault(f"share {index} of job {number} is done twice")
        begun = list(state.begun)
        begun[number - 1] |= 1 << index
        return put(state._replace(begun=tuple(begun)), who, step="count done", **READ)
    assert me.step == "count done"
    return put(state._replace(done=state.done + 1), who, step="read next")


def caller(state: State, order: Order, shares: Shares) -> State | None:
    """The state after the caller's next step; None at its end."""
    me = state.threads[0]
    if me.step == "end":
        return None
    if me.step == "wait":
        count = shares[me.seen - 1]
        if state.done != count:
            return state
        if state.begun[me.seen - 1] != (1 << count) - 1:
            raise Fault(f"job {me.seen} returns with shares left")
        return put(state, 0, step="end" if me.seen == len(shares) else order[0], seen=me.seen + 1)
    if me.step not in order:
        return work(state, 0, "wait")
    following = order[order.index(me.step) + 1:]
    state = put(state, 0, step=following[0] if following else "read next")
    if me.step != "wake":
        return STORES[me.step](state, me.seen, shares[me.seen - 1])
    if state.sleepers:
        for who in range(1, HELPERS + 1):
            if state.threads[who].step == "asleep":
                state = put(state, who, step="awake")
    return state


def helper(state: State, who: int) -> Iterator[State]:
    """The states after the helper's next step."""
    me = state.threads[who]
    if me.step == "look":
        if state.number == me.seen:
            yield put(state, who, step="lie down")  # or another look, which changes nothing
        else:
            yield put(state, who, step="take number")
    elif me.step == "lie down":
        yield put(state._replace(sleepers=state.sleepers + 1), who, step="look again")
    elif me.step == "look again":
        yield put(state, who, step="sleep" if state.number == me.seen else "awake")
    elif me.step == "sleep":  # the system compares and suspends the thread in one atomic step
        yield put(state, who, step="asleep" if state.number == me.seen else "awake")
    elif me.step == "awake":
        yield put(state._replace(sleepers=state.sleepers - 1), who, step="look")
    elif me.step == "take number":
        yield put(state, who, step="read next", seen=state.number)
    elif me.step != "asleep":
        yield work(state, who, "look")


def same(state: State) -> State:
    """Helpers are interchangeable: one representative of the states that differ only in the order of the helpers."""
    return state._replace(threads=state.threads[:1] + tuple(sorted(state.threads[1:])))


def successors(state: State, order: Order, shares: Shares) -> Iterator[State]:
    after = caller(state, order, shares)
    if after is not None:
        yield after
    for who in range(1, HELPERS + 1):
        yield from helper(state, who)


def explore(order: Order, shares: Shares) -> int:
    """The number of states; raises Fault for a wrong state."""
    first = State((Thread(order[0], seen=1),) + (Thread("look"),) * HELPERS, begun=(0,) * len(shares))
    numbers = {first: 0}
    before: list[list[int]] = [[]]
    ends = []
    stack = [first]
    while stack:
        state = stack.pop()
        number = numbers[state]
        if state.threads[0].step == "end":
            ends.append(number)
        if state.threads[0].step not in order and any(t.step == "asleep" and t.seen != state.number for t in state.threads):
            raise Fault(f"a helper sleeps through job {state.number}")
        for after in successors(state, order, shares):
            after = same(after)
            its = numbers.get(after)
            if its is None:
                its = numbers[after] = len(before)
                before.append([])
                stack.append(after)
            before[its].append(number)
    # Backwards from the ends: a state that is not reached waits forever.
    reached = set(ends)
    while ends:
        for number in before[ends.pop()]:
            if number not in reached:
                reached.add(number)
                ends.append(number)
    if len(reached) < len(numbers):
        raise Fault(f"{len(numbers) - len(reached)} of {len(numbers)} states never reach an end")
    return len(numbers)


def main() -> int:
    failed = 0
    try:
        print(f"ok the team's protocol holds in each of {explore(PRESENT, THREE_JOBS)} states")
    except Fault as fault:
        failed += 1
        print(f"not ok the team's protocol holds: {fault}")
    for name, order in FAULTY.items():
        try:
            failed += 1
            print(f"not ok the checker finds that {name}: {explore(order, TWO_JOBS)} states without a fault")
        except Fault as fault:
            failed -= 1
            print(f"ok the checker finds that {name}: {fault}")
    print(f"{1 + len(FAULTY) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
