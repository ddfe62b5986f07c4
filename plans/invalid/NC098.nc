# `%{scirpt_location}` is a misspelt key
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
        | %{scirpt_location}: scripts/sum.py
    <- {first}<:{1}>
    <- {second}<:{2}>
