# A deadlock on purpose: the left value is made from the right one and the right one from the left one. A third step
# that needs neither still runs.
:<:({total}) | 1. imperative
    <= ::(add {1}<$({left})%_>, {2}<$({right})%_> and {3}<$({free})%_>)
        | %{builtin}: add
    <- {left}<:{1}> | 1.2. imperative
        <= ::(add {2}<$({one})%_> to {1}<$({right})%_>)
            | %{builtin}: add
        <- {right}<:{1}>
        <- {one: "1"}<:{2}>
    <- {right}<:{2}> | 1.3. imperative
        <= ::(take {2}<$({one})%_> from {1}<$({left})%_>)
            | %{builtin}: sub
        <- {left}<:{1}>
        <- {one: "1"}<:{2}>
    <- {free}<:{3}> | 1.4. imperative
        <= ::(multiply {1}<$({number})%_> by {2}<$({five})%_>)
            | %{builtin}: mul
        <- {number}<:{1}>
            | ref. 4
        <- {five: "5"}<:{2}>
