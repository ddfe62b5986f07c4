# of the two scripts `sum.py` is there and `remiander.py` is not
:<:({digit})
    <= ::(get the last digit of {1}<$({sum})%_>)
        | %{script_location}: ../addition/scripts/remiander.py
    <- {sum}<:{1}>
        <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
            | %{script_location}: ../addition/scripts/sum.py
        <- {first}<:{1}>
        <- {second}<:{2}>
