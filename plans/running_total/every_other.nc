# The running total with a longer memory: `<*2>` carries from two rounds back, so the first two rounds begin with the
# initial value and the odd and the even rounds have totals of their own. Built-in functions only.
:<:({running totals}) | 1. quantifying
    <= *every({number})%:[{number}]@(1)^[{total}<*2>] | 1.1. assigning
        <= $.({total}*1)
        <- {total}*1 | 1.1.2. assigning
            <= $.({new total})
            <- {new total} | 1.1.2.2. imperative
                <= ::(add {1}<$({number})%_> to {2}<$({total})%_>)
                    | %{builtin}: add
                <- {number}*1<:{1}>
                <- {total}*1<:{2}>
                    | ref. 0
    <- {number} | ref. %(number)=[3, 5, 7, 9]
