"""Gives the whole tens of the digit sum in input_2; input_1 only says what is asked for."""

result = str(int(str(input_2)) // 10)
