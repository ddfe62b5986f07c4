# both candidates are gated by the same side of one condition
:<:({answer})
    <= $.({half};{third})
    <- <the number is even>
        <= ::(is {1}<$({number})%_> even)<ALL True>
        <- {number}<:{1}>
    <- {half}
        <= ::(halve {1}<$({number})%_>)
            <= @if(<the number is even>)
        <- {number}<:{1}>
    <- {third}
        <= ::(divide {1}<$({number})%_> by three)
            <= @if(<the number is even>)
        <- {number}<:{1}>
