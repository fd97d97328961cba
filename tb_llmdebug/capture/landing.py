"""Copies from a GPU that are under way while the caller goes on.

To wait for a copy is to wait for everything that was queued on the GPU before it, which costs a training
loop the lead that it has over the GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from tb_llmdebug.records import InvalidRecordError


def is_on_gpu(value: Any) -> bool:
    """Return whether `value` is a PyTorch tensor on a CUDA GPU.

    Example:
        >>> is_on_gpu([0.5, 0.5])
        False
    """
    return type(value).__module__.partition(".")[0] == "torch" and "torch" in sys.modules and value.is_cuda


def index_for(array: Any, places: Sequence[int]) -> Any:
    """Return `places` as `array`, of NumPy or on a GPU, is indexed with and nothing is waited for.

    Example:
        >>> index_for([0.5, 0.3, 0.2], (2, 0))
        [2, 0]
    """
    if not is_on_gpu(array):
        return list(places)
    import torch

    # From other memory than page-locked the copy would begin only when the queue is through.
    return torch.tensor(places, dtype=torch.long, pin_memory=True).to(array.device, non_blocking=True)


class Landing:
    """Starts copies on the stream that computes, so that what happens there later does not change them.

    Example:
        >>> landing = Landing()
        >>> landing.wait()  # nothing is under way
    """

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], Any] = {}
        """by GPU and stream, the event behind the last copy"""

    def start(self, tensor: Any) -> npt.NDArray[Any]:
        """Return the array that `tensor`, on a GPU, is copied to: not to be read before `wait`.

        Args:
            tensor: of any shape; bfloat16, which NumPy has not, comes as float32.

        Raises:
            InvalidRecordError: the GPU does not compute now but records a graph.
        """
        import torch

        tensor = tensor.detach()
        with torch.cuda.device(tensor.device):
            if torch.cuda.is_current_stream_capturing():
                raise InvalidRecordError(
                    "a CUDA graph is being captured, and would log only once: call log_attention after its "
                    "replay."
                )
            tensor = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
            try:
                host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            except RuntimeError:  # no page-locked memory is left: only a copy that is waited for can be had
                host = torch.empty(tensor.shape, dtype=tensor.dtype)
            host.copy_(tensor, non_blocking=True)
            stream = torch.cuda.current_stream()
            place = tensor.device.index, stream.cuda_stream
            behind = self._last.setdefault(place, torch.cuda.Event(blocking=True))
            behind.record(stream)
        array: npt.NDArray[Any] = host.numpy()
        return array

    def wait(self) -> None:
        """Return once all copies are there; may be called by another thread than `start`."""
        for behind in self._last.values():
            behind.synchronize()
