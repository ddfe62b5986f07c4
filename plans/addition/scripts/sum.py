"""Adds all digits in input_1 (a text such as `3, and 8`) and the carry in input_2."""
import re

result = str(sum(int(digit) for digit in re.findall(r"\d+", str(input_1))) + int(str(input_2)))
