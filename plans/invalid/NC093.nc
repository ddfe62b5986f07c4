# the loop runs over `number`, so its result cannot have the axis `page`
:<:({results})
    | %{ref_axes}: [page]
    <= *every({number})%:[{number}]@(1)
        <= $.({double})
        <- {double}
            <= ::(double {1}<$({number})%_>)
            <- {number}*1<:{1}>
    <- {number} | ref. %(number)=[1, 2, 3]
