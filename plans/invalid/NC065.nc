# the step wants the path, the cell is read and gives the content
:<:({answer})
    <= ::(look into {1}<$({notes})%>)
        | %{norm_input}: h_LiteralPath-c_ReadFile-o_Literal
        | %{h_input_norm}: LiteralPath
    <- {notes}<:{1}>
        | %{file_location}: notes.txt
