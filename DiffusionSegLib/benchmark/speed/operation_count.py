"""How many operations a computation takes, and how many bytes it moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

GATHERS = {torch.ops.aten.index, torch.ops.aten.index_select}
# Torch's own counter does not know it.
ONE_DNN_LINEAR = "mkldnn::_linear_pointwise"


class OperationCount(TorchDispatchMode):
    """Counts while it is entered: ``with OperationCount() as count: work()``.

    Operations are those of products and convolutions, a multiplication and an addition as two. Bytes are those of
    each operator's inputs and outputs, as if it read and wrote each once: what operators fused with each other, or
    caches between them, could save is counted too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        # Without gradients compound operators arrive whole.
        with self:
            parts = function.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        result = function(*args, **kwargs)
        self.operations += _operations(function, args, kwargs, result)
        if function._overloadpacket in GATHERS:
            # Only what is taken of the table is read.
            self.bytes += 2 * _size(result)
        elif not _is_view(function):
            self.bytes += sum(_size(leaf) for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor))
        return result


def _operations(function: Any, args: Any, kwargs: Any, result: Any) -> int:
    if function.name() == ONE_DNN_LINEAR:
        inputs, weight = args[:2]
        return int(2 * inputs.shape[:-1].numel() * weight.numel())
    count = flop_registry.get(function._overloadpacket)
    return 0 if count is None else int(count(*args, **kwargs, out_val=result))


def _is_view(function: Any) -> bool:
    returned = [value.alias_info for value in function._schema.returns]
    return any(alias is not None and not alias.is_write for alias in returned)


def _size(tensor: Tensor) -> int:
    # Expanded tensors are smaller than they look.
    return int(min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes()))


def counted(work: Callable[[], object]) -> OperationCount:
    """The count of a computation; what it draws at random is drawn again by the next."""
    threads = torch.get_num_threads()
    # What other threads compute is not seen: with one, a crew works in this one.
    torch.set_num_threads(1)
    try:
        with OperationCount() as count, torch.random.fork_rng(devices=[]):
            work()
    finally:
        torch.set_num_threads(threads)
    return count


def counted_by_steps(work: Callable[[int], object], steps: int) -> OperationCount:
    """The count of so many steps, from those of two and of four: what comes before the first is done once."""
    two, four = counted(lambda: work(2)), counted(lambda: work(4))
    for name in ("operations", "bytes"):
        first, more = getattr(two, name), getattr(four, name)
        setattr(two, name, first + (more - first) * (steps - 2) // 2)
    return two
