#!/usr/bin/env python3
"""Rewrites assembler from stdin to stdout without the legal instructions that Bochs 2.7 gets wrong: shifts of 16-bit masks by 15, which
give 0 there, and gathers and scatters whose index is in register 16 to 31, which are illegal there."""
import re, sys

SHIFT = re.compile(r"\s*kshift([lr])w\s+\$15, (%k\d), (%k\d)")
INDEXED = re.compile(r"(\s*vp?(?:gather|scatter)\w+\s.*\([^)]*%)([xyz]mm)(1[6-9]|2\d|3[01])\b(.*)")

for line in sys.stdin:
    line = line.rstrip("\n")
    if match := SHIFT.match(line):
        side, source, target = match.groups()
        line = f"  kshift{side}w $14, {source}, {target}\n  kshift{side}w $1, {target}, {target}"
    elif match := INDEXED.match(line):
        before, kind, index, after = match.groups()
        used = set(re.findall(r"mm(\d+)", line))
        free = next(str(i) for i in range(16) if str(i) not in used)
        line = "\n".join((f"  vmovups %zmm{free}, kept_register(%rip)", f"  vmovups %zmm{index}, %zmm{free}",
                          f"{before}{kind}{free}{after}", f"  vmovups kept_register(%rip), %zmm{free}"))
    print(line)
