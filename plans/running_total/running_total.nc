# The running total of a list: every round adds its number to the total of the round before. Shows a carry: `^[{total}<*1>]`
# hands `{total}` on from one iteration to the next, `{total}*1` is the carried value, and `ref. 0` is the one it
# begins with. Built-in functions only.
:<:({running totals}) | 1. quantifying
    <= *every({number})%:[{number}]@(1)^[{total}<*1>] | 1.1. assigning
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
