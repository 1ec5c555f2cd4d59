"""Every pass has a test, every constraint of an op has a function that violates it; prints what is missing.

  a pass of include/coat/<Stage>/Passes.td with the flag coat-<pass>   test/<Stage>/coat-<pass>.mlir, with at least
                                                                      one case that fires and one that must not
  a line "* C<n>: .." in the description of coat.<op>                  func.func @<op>_c<n>.. in test/Dialect/*-invalid.mlir
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
missing = []

for passes in sorted(root.glob("include/coat/*/Passes.td")):
    for flag in re.findall(r'^def \w+ : \w+<"(coat-[a-z0-9-]+)"', passes.read_text(), re.M):
        test = root / "test" / passes.parent.name / f"{flag}.mlir"
        if not test.exists():
            missing.append(f"{test.relative_to(root)}: expected a test of pass {flag}, got none")
        elif len(re.findall(r"^ *func\.func", test.read_text(), re.M)) < 2:
            missing.append(f"{test.relative_to(root)}: expected a case where {flag} must not fire, got one case")

violations = "\n".join(test.read_text() for test in root.glob("test/Dialect/*-invalid.mlir"))
for ops in sorted(root.glob("include/coat/Dialect/*Ops.td")):
    # Each definition, up to the next one.
    for text in re.split(r"^(?=def )", ops.read_text(), flags=re.M):
        name = re.match(r'def \w+ : (?:Coat_\w*Op<|Op<Coat_Dialect, )"(\w+)"', text)
        for number in re.findall(r"^ *\* C(\d+):", text, re.M) if name else []:
            if not re.search(rf"@{name[1]}_c{number}(?![0-9])", violations):
                missing.append(f"test/Dialect: expected func.func @{name[1]}_c{number}, which violates C{number} of "
                               f"coat.{name[1]} ({ops.name}), got none")

print("\n".join(missing) or "nothing is missing")
sys.exit(bool(missing))
