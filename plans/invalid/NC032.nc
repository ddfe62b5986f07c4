# the root is declared a grouping and is made by an imperative
:<:({sum}) | 1. grouping
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
    <- {second}<:{2}>
