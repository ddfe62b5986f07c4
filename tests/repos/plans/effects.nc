{receipt} | %{effect}: once
    <= ::(pay {1}<$({bill})%_>) | %{effect}: once
        | %{script_location}: pay.py
        <= @if(<due>)
    <- {bill}
        <= ::(add)
            | %{builtin}: sum
            | %{effect}: once
        <- {prices} | ref. [1, 2] | %{timeout}: 3
    <- <due>
        <= ::<{1}<$({bill})%_> is due>
            | %{script_location}: due.py
            | %{effect}: once
        <- {bill}
    <- {note}
        <= $.({prices}) | %{effect}: once
        <- {prices}
    <- {other}
        <= ::(one)
            | %{builtin}: sum
            | %{effect}: Once
        <- {prices}
    <- {last}
        <= ::(two)
            | %{builtin}: sum
            | %{effect}:
            | %{timeout}:
        <- {prices}
