# the plan names two files; `NC001.nc` stands beside it and `NC0O2.nc` does not
:<:({longer text})
    <= ::(find the longer one of {1}<$({first text})%_> and {2}<$({second text})%_>)
    <- {first text}<:{1}>
        | %{file_location}: NC001.nc
    <- {second text}<:{2}>
        | %{file_location}: NC0O2.nc
