"""The command line: `diffusionseg COMMAND`."""

from __future__ import annotations

import argparse
import atexit
import gc
import sys
from collections.abc import Sequence

from DiffusionSegLib import __version__
from DiffusionSegLib.commands.terminal_messages import (
    refusal,
    stop_printing,
    tell,
    tell_in_any_encoding,
    warnings_on_one_line,
)
from DiffusionSegLib.errors import DiffusionSegError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if all went well, 2 after a problem that was told, 130 after Ctrl-C, 141 if nobody reads on."""
    tell_in_any_encoding()
    # Else Python ends by looking for cycles among all that torch has loaded, which may take it a second.
    atexit.register(gc.freeze)
    try:
        return _run(arguments)
    except DiffusionSegError as error:
        tell(error)
        return 2
    except KeyboardInterrupt:
        tell("stopped; nothing was left half-written.")
        return 130
    except BrokenPipeError:
        stop_printing()
        return 141
    except OSError as error:
        tell(refusal(error))
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    # Only here, because they take a moment in which the person may stop the program already.
    from DiffusionSegLib.allocator import keep_large_blocks
    from DiffusionSegLib.commands import (
        apply,
        benchmark,
        demo,
        evaluate,
        import_checkpoint,
        info,
        pretrain,
        segment,
        suggest,
        worker,
    )
    from DiffusionSegLib.memory_shortage import shortage_told

    parser = argparse.ArgumentParser(prog="diffusionseg", description=sys.modules["DiffusionSegLib"].__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (segment, apply, suggest, evaluate, pretrain, import_checkpoint, benchmark, info, demo, worker):
        command.add_parser(commands)
    chosen = parser.parse_args(arguments)
    keep_large_blocks()
    with warnings_on_one_line(), shortage_told():
        status = chosen.run(chosen)
        # While it can still be told: at the end of the process Python would print a traceback.
        sys.stdout.flush()
        return status


if __name__ == "__main__":
    sys.exit(main())
