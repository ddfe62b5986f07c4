# the gate waits for a judgement about what it guards
:<:({report})
    <= $.({answer})
    <- {answer}
        <= ::(double {1}<$({number})%_>)
            <= @if(<the answer is small>)
        <- {number}<:{1}>
    <- <the answer is small>
        <= ::({1}<$({answer})%_> is less than ten)<ALL True>
        <- {answer}<:{1}>
