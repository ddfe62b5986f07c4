{answer}
    <= $.({guarded}; {plain})
    <- {guarded}
        <= ::(double {1}<$({n})%_>)
            | %{builtin}: add
            | %{effect}: once
            | %{timeout}: 2.5
            <= @if(<small>)
            <= @if!(<odd>)
                <= @after(<small>)
        <- {n}<:{1}>
        <- {n}?<:{2}>
    <- {plain}
        <= ::(add one to {1}<$({n})%_>)
            | %{script_location}: scripts/plus/add.py
            | %{prompt_location}: prompts/add.md
        <- {n}<:{1}>
    <- <small>
        <= ::<{1}<$({n})%_> is small>
        <- {n}<:{1}>
    <- <odd>
        <= ::({1}<$({n})%_> is odd)<ALL False>
            | %{script_location}: other/add.py
        <- {n}<:{1}>
    <- {n} | ref. 4
