# `{total}` is neither a value of the line nor its target
:<:({answer})
    <= $.({total})
    <- {sum}
    <- {mean}
