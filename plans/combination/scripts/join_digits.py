"""Puts the digits in input_1 (a text such as `1, 2, and 2`) together, the last one first."""
import re

digits = re.findall(r"\d", str(input_1))
result = "".join(reversed(digits)).lstrip("0") or "0"
