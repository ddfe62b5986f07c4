# `{draft}` may be the first or the second draft
:<:({report})
    <= ::(compare {1}<$({draft})%_> with {2}<$({draft})%_> and {3}<$({draft})%_>)
    <- {draft}<$={1}><:{1}>
        <= ::(write a draft about {1}<$({topic})%_>)
        <- {topic}<:{1}>
    <- {draft}<$={2}><:{2}>
        <= ::(shorten {1}<$({draft})%_>)
        <- {draft}<$={1}><:{1}>
    <- {draft}<:{3}>
