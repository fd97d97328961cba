"""Copies from a GPU that are under way while the caller goes on.

To wait for a copy is to wait for everything that was queued on the GPU before it, which costs a training
loop the lead that it has over the GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from tb_llmdebug.capture.host import HostArray, to_host
from tb_llmdebug.records import InvalidRecordError


def is_on_gpu(value: Any) -> bool:
    """Return whether `value` is a PyTorch tensor on a CUDA GPU.

    Example:
        >>> is_on_gpu([0.5, 0.5])
        False
    """
    return type(value).__module__.partition(".")[0] == "torch" and "torch" in sys.modules and value.is_cuda


def array_of(value: Any, what: str) -> HostArray:
    """Return an array or tensor as `to_host` does; one on a GPU stays there, to be copied when it is known
    what is kept of it."""
    return HostArray(value.detach(), mutable=False) if is_on_gpu(value) else to_host(value, what)


def index_for(array: Any, places: Sequence[int]) -> Any:
    """Return `places` as what `array`, of NumPy or on a GPU, is indexed with.

    Example:
        >>> index_for([0.5, 0.3, 0.2], (2, 0))
        [2, 0]
    """
    return index_on(array.device, places) if is_on_gpu(array) else list(places)


def index_on(device: Any, places: Sequence[int]) -> Any:
    """Return `places` as a tensor on `device`, one of PyTorch's; what is queued there is not waited for."""
    import torch

    if isinstance(places, range):
        return torch.arange(places.start, places.stop, places.step, device=device)
    # From other memory than page-locked the copy would begin only when the queue is through.
    made = torch.tensor(places, dtype=torch.long, pin_memory=device.type == "cuda")
    return made.to(device, non_blocking=True)


class Landing:
    """Starts copies on the stream that computes, so that what happens there later does not change them.

    Example:
        >>> landing = Landing()
        >>> landing.wait()  # nothing is under way
    """

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], Any] = {}
        """by GPU and stream, the event behind the last copy"""

    def of(self, array: Any) -> npt.NDArray[Any]:
        """Return `array`; one on a GPU as what it is copied to, which is not to be read before `wait`.

        Args:
            array: of any shape; bfloat16, which NumPy has not, comes as float32.

        Raises:
            InvalidRecordError: the GPU does not compute now but records a graph.
        """
        landed: npt.NDArray[Any] = self._start(array.detach()) if is_on_gpu(array) else array
        return landed

    def _start(self, tensor: Any) -> npt.NDArray[Any]:
        import torch

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
        landed: npt.NDArray[Any] = host.numpy()
        return landed

    def wait(self) -> None:
        """Return once all copies are there; may be called by another thread than `of`."""
        for behind in self._last.values():
            behind.synchronize()
