"""Prints the one shell block of a Markdown file that matches a pattern, unindented: runbook.py FILE PATTERN."""

import re
import sys
import textwrap

file, pattern = sys.argv[1:]
blocks = re.findall(r"^ *```bash\n(.*?)^ *```$", open(file, encoding="utf-8").read(), re.S | re.M)
found = [textwrap.dedent(block) for block in blocks if re.search(pattern, block)]
if len(found) != 1:
    sys.exit(f"{file} has {len(found)} blocks that match {pattern}, not one")
print(found[0])
