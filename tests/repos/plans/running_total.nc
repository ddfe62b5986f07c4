{totals} | 1. quantifying
    <= *every({xs})%:[{x}]@(1)^[{acc}<*2>] | 1.1. assigning
        <= $.({sum})
        <- {sum} | 1.1.2. imperative
            <= ::(add {1}<$({x})%_> to {2}<$({acc})%_>)
                | %{builtin}: add
            <- {xs}*1<:{1}>
            <- {acc}*1<:{2}>
        <- {acc}*1 | 1.1.3. assigning
            <= $.({sum})
            <- {sum}
    <- {xs} | ref. %(x)=[1, 2, 3]
