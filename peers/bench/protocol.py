"""The worker's side of the benchmark: commands on standard input, one line of answer each.

    about                           what runs here: words
    prepare KEY CASE VARIANT DTYPE  builds it and calls it twice; the seconds of all that, and of the second call
    time KEY SECONDS                calls it for so long, once at least; the seconds of each call
    save KEY FILE                   all Jacobians [n, d, D] of a call, one after the other, as raw float64
    drop KEY
"""

import os
import sys
import time

import numpy as np


def apart():
    """Standard output for answers alone: from here on what packages print goes to standard error, and is not taken for one."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def answer_lines(answers, answer) -> None:
    """Answers every line of standard input by what `answer(words)` gives for its words, or by the error it raises."""
    for line in sys.stdin:
        try:
            answers.write(f"ok {' '.join(map(str, answer(line.split())))}\n")
        except Exception as error:
            if os.environ.get("LATLAS_BENCH_TRACE"):
                import traceback

                traceback.print_exc()
            answers.write(f"error {type(error).__name__}: {' '.join(str(error).split())[:500]}\n")


def unknown(words) -> ValueError:
    return ValueError(f"no such command: {' '.join(words)}")


def serve(about: str, prepare) -> None:
    """`prepare(case, variant, dtype)` gives a function that computes, waits, and returns all Jacobians, and one that
    turns what it returned into numpy arrays."""
    answers = apart()
    ready = {}

    def answer(words) -> list:
        match words:
            case ["about"]:
                return [about]
            case ["prepare", key, case, variant, dtype]:
                start = time.perf_counter()
                call, arrays = prepare(case, variant, dtype)
                call()
                again = timed(call, 0)[0]
                ready[key] = (call, arrays)
                return [f"{time.perf_counter() - start:.3f}", f"{again:.9f}"]
            case ["time", key, seconds]:
                return [f"{s:.9f}" for s in timed(ready[key][0], float(seconds))]
            case ["save", key, file]:
                call, arrays = ready[key]
                with open(file, "wb") as target:
                    for array in arrays(call()):
                        np.ascontiguousarray(array, dtype=np.float64).tofile(target)
                return []
            case ["drop", key]:
                del ready[key]
                return []
            case _:
                raise unknown(words)

    answer_lines(answers, answer)


def timed(call, seconds: float) -> list[float]:
    taken = []
    end = time.perf_counter() + seconds
    while not taken or (time.perf_counter() < end and len(taken) < 1000):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken
