{out}
    <= $.({nothing like it})
    <- {a}
        <= {b}
    <- {b}
        <= do it somehow
    <- <true>
        <= ::(an imperative {1})
        <- {n}<:{1}>
    <- {data}
        <= ::<a judgement of {1}>
        <- {n}<:{1}>
    <- <judged>
        <= ::<it is so>
    <- {gated}
        <= @if({n})
        <- {n}
    <- {inverted}
        <= @after({n})
            <= ::(work)
    <- {two}
        <= ::(one)
        <= ::(two)
    <- ::(sell)
    <- a sentence
    <- {waits}
        <= ::(wait)
            | %{timeout}: soon
            | %{effect}: twice
            <= @after()
    <- {n}
