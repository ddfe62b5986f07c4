# A deadlock on purpose: each of two steps waits with `@after` until the other one is done, though neither reads what
# the other makes.
:<:({total}) | 1. imperative
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
        | %{builtin}: add
    <- {first}<:{1}> | 1.2. imperative
        <= ::(add {2}<$({one})%_> to {1}<$({number})%_>) | 1.2.1. timing
            | %{builtin}: add
            <= @after({second})
        <- {number}<:{1}>
            | ref. 4
        <- {one: "1"}<:{2}>
    <- {second}<:{2}> | 1.3. imperative
        <= ::(take {2}<$({one})%_> from {1}<$({number})%_>) | 1.3.1. timing
            | %{builtin}: sub
            <= @after({first})
        <- {number}<:{1}>
        <- {one: "1"}<:{2}>
