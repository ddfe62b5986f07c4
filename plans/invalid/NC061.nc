# the operation has no text
:<:({sum})
    <= ::()
    <- {first}<:{1}>
