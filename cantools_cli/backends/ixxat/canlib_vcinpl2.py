"""The CAN FD controller of an IXXAT device, with the signature that python-can documents."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.ixxat import bus
from cantools_cli.backends.ixxat.bus import CyclicSendTask, get_ixxat_hwids
from cantools_cli.backends.ixxat.exceptions import (
    VCIBusOffError,
    VCIDeviceNotFoundError,
    VCIError,
    VCIRxQueueEmptyError,
    VCITimeout,
)
from cantools_cli.filtering.can_filter import CanFilters

__all__ = [
    "CyclicSendTask",
    "IXXATBus",
    "VCIBusOffError",
    "VCIDeviceNotFoundError",
    "VCIError",
    "VCIRxQueueEmptyError",
    "VCITimeout",
    "get_ixxat_hwids",
]


class Vcinpl2Bus(bus.IXXATBus):
    """The bus of ``vcinpl2``; further keywords are those of the class for both libraries."""

    def __init__(
        self,
        channel: int,
        can_filters: CanFilters | None = None,
        receive_own_messages: bool = False,
        unique_hardware_id: str | None = None,
        extended: bool = True,
        rx_fifo_size: int | None = 1024,
        tx_fifo_size: int | None = 128,
        bitrate: int = 500_000,
        data_bitrate: int = 2_000_000,
        sjw_abr: int | None = None,
        tseg1_abr: int | None = None,
        tseg2_abr: int | None = None,
        sjw_dbr: int | None = None,
        tseg1_dbr: int | None = None,
        tseg2_dbr: int | None = None,
        ssp_dbr: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("fd", None)  # the class itself decides
        super().__init__(
            channel,
            can_filters,
            receive_own_messages,
            unique_hardware_id,
            extended,
            True,
            rx_fifo_size,
            tx_fifo_size,
            bitrate,
            data_bitrate,
            sjw_abr,
            tseg1_abr,
            tseg2_abr,
            sjw_dbr,
            tseg1_dbr,
            tseg2_dbr,
            ssp_dbr,
            **kwargs,
        )


IXXATBus = Vcinpl2Bus  #: the documented name
