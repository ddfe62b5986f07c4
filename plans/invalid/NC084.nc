# `{total}` is carried, and nothing in the loop gives it a new value
:<:({results})
    <= *every({number})%:[{number}]@(1)^[{total}<*1>]
        <= $.({sum})
        <- {sum}
            <= ::(add {1}<$({number})%_> to {2}<$({total})%_>)
            <- {number}*1<:{1}>
            <- {total}*1<:{2}>
                | ref. 0
    <- {number}
