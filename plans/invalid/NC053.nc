# angle brackets hold a judgement, and `{summary}` is an object
:<:({summary})
    <= ::{%(direct)}<{prompt}<$({summary prompt})%>: {1}<$({text})%>>
    <- {summary prompt}<:{prompt}>
        | %{prompt_location}: summary.md
    <- {text}<:{1}>
