"""The command line: `diffusionseg COMMAND`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from DiffusionSegLib import __version__
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
from DiffusionSegLib.commands.terminal_messages import stop_printing, tell, tell_in_any_encoding, warnings_on_one_line
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.memory_shortage import shortage_told

COMMANDS = (segment, apply, suggest, evaluate, pretrain, import_checkpoint, benchmark, info, demo, worker)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if all went well, 2 after a problem that was told, 130 after Ctrl-C, 141 if nobody reads on."""
    parser = argparse.ArgumentParser(prog="diffusionseg", description=sys.modules["DiffusionSegLib"].__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    chosen = parser.parse_args(arguments)
    keep_large_blocks()
    tell_in_any_encoding()
    try:
        with warnings_on_one_line(), shortage_told():
            status = chosen.run(chosen)
            # While it can still be told: at the end of the process Python would print a traceback.
            sys.stdout.flush()
            return status
    except DiffusionSegError as error:
        tell(error)
        return 2
    except KeyboardInterrupt:
        tell("stopped; nothing was left half-written.")
        return 130
    except BrokenPipeError:
        stop_printing()
        return 141


if __name__ == "__main__":
    sys.exit(main())
