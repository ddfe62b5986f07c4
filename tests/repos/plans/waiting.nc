{out}
    <= $.({a})
    <- {a}
        <= ::(use {1})
            <= @after({never})
        <- {b}<:{1}>
    <- {b}
        <= ::(use that {1})
        <- {c}<:{1}>
    <- {c}
        <= ::(use this {1})
        <- {b}<:{1}>
    <- {d}
        <= ::(use myself {1})
        <- {d}<:{1}>
