# the annotation stands further left than the concept it belongs to
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
| %{ref_axes}: [number]
    <- {second}<:{2}>
