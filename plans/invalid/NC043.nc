# `{number}*` does not say which loop it is the element of
:<:({results})
    <= *every({number})%:[{number}]@(1)
        <= $.({double})
        <- {double}
            <= ::(double {1}<$({number})%_>)
            <- {number}*<:{1}>
    <- {number}
