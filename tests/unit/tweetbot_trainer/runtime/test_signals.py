"""SIGTERM is a request that stages see where nothing is half done."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tweetbot_contract.handover import ExitCode
from tweetbot_trainer.runtime.errors import StageStopped
from tweetbot_trainer.runtime.signals import StopRequest, handle_sigterm


def test_sigterm_is_noted_and_the_process_lives_on() -> None:
    with handle_sigterm() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested


def test_the_former_handler_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with handle_sigterm():
        pass
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_stage_that_looks_is_stopped() -> None:
    stop = StopRequest()
    stop.check()
    stop.request()
    with pytest.raises(StageStopped) as stopped:
        stop.check()
    assert stopped.value.exit_code == ExitCode.STOPPED


def test_no_pause_is_slept_through() -> None:
    stop = StopRequest()
    threading.Timer(0.05, stop.request).start()
    with pytest.raises(StageStopped):  # a pause that is slept through ends without it, a day later
        stop.pause(86400)


def test_the_handler_stands_before_anything_heavy_is_loaded() -> None:
    code = "import sys, tweetbot_trainer.__main__; print(sorted({'pydantic', 'boto3', 'torch'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
