# every round appends another number to the base of its own loop
:<:({seen})
    <= *every({number})%:[{number}]@(1)
        <= $.({next})
        <- {next}
            <= ::(add one to {1}<$({number})%_>)
            <- {number}*1<:{1}>
        <- {number}
            <= $+({next}:{number})%:[{number}]
            <- {next}
    <- {number} | ref. %(number)=[1]
