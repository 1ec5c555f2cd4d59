"""Interleaved rounds: in each, every contender runs for a moment, in an order that turns. Ratios are taken within a round, so
that what the machine does meanwhile meets all of them.

A contender is a function of a count: it runs that often and returns the seconds of one run. A turn is a pause in which the
threads of the one before fall asleep, an untimed run that fills the caches, and the timed runs. What takes longer than SLOW
times ours has CAPPED turns only, spread over the rounds.
"""
import statistics
import time

PAUSE, TURN, SLOW, CAPPED = 0.005, 0.02, 3.0, 5


def timed(run):
    """A contender from a function without arguments: the median of its runs."""

    def clock(count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    return clock


def turn(clock, estimate):
    time.sleep(PAUSE)
    if estimate < 0.1:
        clock(1)
    return clock(max(1, min(200, int(TURN / max(estimate, 1e-6)))))


def interleave(contenders, rounds, ours="coat"):
    """{name: contender} -> {name: {round: seconds}}."""
    estimates = {}
    for name, clock in contenders.items():
        first = clock(1)
        estimates[name] = first if first > 1 else min(clock(1) for _ in range(2))
    limit = SLOW * estimates[ours]
    times = {name: {} for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in names[number % len(names):] + names[:number % len(names)]:
            if estimates[name] <= limit or number * CAPPED // rounds != (number - 1) * CAPPED // rounds:
                times[name][number] = turn(contenders[name], estimates[name])
    return times


def compare(times, ours="coat"):
    """Milliseconds of each contender, and of each peer the ratio of its time to ours: median, quartiles, least, greatest."""
    result = {"ms": {name: 1e3 * statistics.median(t.values()) for name, t in times.items()}, "ratios": {}}
    for name, t in times.items():
        if name == ours:
            continue
        ratios = sorted(t[r] / times[ours][r] for r in t if r in times[ours])
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else 3 * ratios
        result["ratios"][name] = {"median": middle, "quartiles": [low, high], "range": [ratios[0], ratios[-1]], "rounds": len(ratios)}
    if result["ratios"]:
        result["fastest"] = min(result["ratios"], key=lambda name: result["ratios"][name]["median"])
    return result
