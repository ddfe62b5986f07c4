# A deadlock on purpose: the step may run only if its own answer is zero, so the gate waits for the judgement, the
# judgement for the answer and the answer for the gate.
:<:({report}) | 1. assigning
    <= $.({answer})
    <- {answer} | 1.2. imperative
        <= ::(multiply {1}<$({number})%_> by {2}<$({two})%_>) | 1.2.1. timing
            | %{builtin}: mul
            <= @if(<the answer is zero>)
        <- {number}<:{1}>
            | ref. 3
        <- {two: "2"}<:{2}>
    <- <the answer is zero> | 1.3. judgement
        <= :%(True):<{1}<$({answer})%_> is 0>
            | %{builtin}: is_zero
        <- {answer}<:{1}>
