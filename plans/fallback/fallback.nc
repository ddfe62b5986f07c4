# Halves an even number; triples an odd one and adds one. Shows a condition and its two sides: a judgement decides,
# `@if` and `@if!` open one side and skip the other, and `$.` takes the first candidate that has a value. Built-in
# functions only.
:<:({next number}) | 1. assigning
    <= $.({half};{one more than the triple})

    <- <the number is even> | 1.2. judgement
        <= :%(True):<{1}<$({rest})%_> is 0>
            | %{builtin}: is_zero
        <- {rest}<:{1}> | 1.2.2. imperative
            <= ::(find what {1}<$({number})%_> leaves when divided by {2}<$({two})%_>)
                | %{builtin}: remainder
            <- {number}<:{1}>
                | ref. 6
            <- {two: "2"}<:{2}>

    <- {half} | 1.3. imperative
        <= ::(divide {1}<$({number})%_> by {2}<$({two})%_>) | 1.3.1. timing
            | %{builtin}: quotient
            <= @if(<the number is even>)
        <- {number}<:{1}>
        <- {two: "2"}<:{2}>

    <- {one more than the triple} | 1.4. imperative
        <= ::(add {2}<$({one})%_> to {1}<$({triple})%_>) | 1.4.1. timing
            | %{builtin}: add
            <= @if!(<the number is even>)
        <- {triple}<:{1}> | 1.4.2. imperative
            <= ::(multiply {1}<$({number})%_> by {2}<$({three})%_>)
                | %{builtin}: mul
            <- {number}<:{1}>
            <- {three: "3"}<:{2}>
        <- {one: "1"}<:{2}>
