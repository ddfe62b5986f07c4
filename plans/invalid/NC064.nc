# the script and the built-in both would add
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
        | %{script_location}: scripts/sum.py
        | %{builtin}: add
    <- {first}<:{1}>
    <- {second}<:{2}>
