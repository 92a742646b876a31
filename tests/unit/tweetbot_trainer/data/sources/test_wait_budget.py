"""Waits come out of one budget, grow while a server is away, and say so while they last."""

from builders.x import Clock


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    clock = Clock()
    assert not clock.patience(100).wait(101)
    assert clock.waits == []


def test_all_waits_share_the_budget() -> None:
    clock = Clock()
    patience = clock.patience(100)
    assert patience.wait(60)
    assert not patience.wait(41)
    assert patience.wait(40)


def test_no_wait_is_so_short_that_it_makes_a_storm() -> None:
    clock = Clock()
    clock.patience().wait(-5)
    assert clock.waits == [2.0]


def test_pauses_grow_until_the_server_is_back() -> None:
    clock = Clock()
    patience = clock.patience()
    for _ in range(7):
        patience.pause()
    patience.reset_pause()
    patience.pause()
    assert clock.waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 2.0]


def test_a_long_wait_is_told_every_minute() -> None:
    clock, told = Clock(), list[float]()
    clock.patience().wait(150, say=told.append)
    assert told == [150, 90, 30]
    assert sum(clock.waits) == 150
