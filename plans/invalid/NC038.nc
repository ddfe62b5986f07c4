# the carried `{total}*1` has no value before the first round
:<:({running totals})
    <= *every({number})%:[{number}]@(1)^[{total}<*1>]
        <= $.({total}*1)
        <- {total}*1
            <= $.({new total})
            <- {new total}
                <= ::(add {1}<$({number})%_> to {2}<$({total})%_>)
                <- {number}*1<:{1}>
                <- {total}*1<:{2}>
    <- {number}
