"""Pieces of work for the worker, as the panel hands them to its `RunControl`."""

from __future__ import annotations


class Job:
    """One piece of work that the user asked for.

    Args:
        doing: what is being done, such as "Training".
        start: starts it and returns the worker's call.
        finish: takes the ended call; raises what went wrong.
        then: called after a success; may start the next job.
        gives_way: whether it is of no use any more once something new was painted.
        needs_features: whether it waits for a quiet job, of whose features it makes use, rather than ending it.
    """

    quiet = False

    def __init__(self, doing: str, start, finish, then=None, *, gives_way=False, needs_features=False) -> None:
        self.doing, self.start, self.finish, self.then = doing, start, finish, then
        self.gives_way, self.needs_features = gives_way, needs_features
        self.call = None
        self.cancelled = False
        # Whether a click has begun it, or what it follows.
        self.asked = True


class QuietJob(Job):
    """Work that nobody has asked for: nothing waits for its end but what makes use of it, and nothing is installed.

    Args:
        doing, start, finish, then: as for a `Job`.
        show: told stage, done and total.
        ended: told what went wrong, or None if it was stopped; not called after a success.
        brief: whether it is over so soon that it is always waited for; a worker that is just starting cannot stop.
    """

    quiet = True

    def __init__(self, doing: str, start, finish, then, *, show, ended, brief) -> None:
        super().__init__(doing, start, finish, then)
        self.show, self.ended, self.brief = show, ended, brief
