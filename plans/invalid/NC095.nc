# there is no script `scripts/absent.py` beside this plan
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
        | %{script_location}: scripts/absent.py
    <- {first}<:{1}>
    <- {second}<:{2}>
