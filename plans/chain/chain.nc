# Three steps over one number that could all run at once, put into an order: `@after` lets a step wait for a concept
# that it does not read. The number is lowered first, then raised, then doubled; the answer adds the three. Built-in
# functions only.
:<:({answer}) | 1. imperative
    <= ::(add {1}<$({doubled})%_>, {2}<$({raised})%_> and {3}<$({lowered})%_>)
        | %{builtin}: add

    <- {doubled}<:{1}> | 1.2. imperative
        <= ::(multiply {1}<$({number})%_> by {2}<$({two})%_>) | 1.2.1. timing
            | %{builtin}: mul
            <= @after({raised})
        <- {number}<:{1}>
            | ref. 3
        <- {two: "2"}<:{2}>

    <- {raised}<:{2}> | 1.3. imperative
        <= ::(add {2}<$({ten})%_> to {1}<$({number})%_>) | 1.3.1. timing
            | %{builtin}: add
            <= @after({lowered})
        <- {number}<:{1}>
        <- {ten: "10"}<:{2}>

    <- {lowered}<:{3}> | 1.4. imperative
        <= ::(take {2}<$({one})%_> from {1}<$({number})%_>)
            | %{builtin}: sub
        <- {number}<:{1}>
        <- {one: "1"}<:{2}>
