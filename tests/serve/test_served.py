"""A bus that is served."""

from __future__ import annotations

import pytest

from cantools_cli.errors import (
    FormatError,
)
from cantools_cli.serve.served import BusJob
from tests.serve.conversation import frame


def test_a_job_refuses_what_its_task_refuses(line):
    job = BusJob(line().send_periodic(frame(1), 1.0))
    with pytest.raises(FormatError):
        job.change(frame(2))
