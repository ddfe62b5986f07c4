"""Gives the number in input_1 without its last digit, 0 when nothing is left."""

result = str(int(str(input_1)) // 10)
