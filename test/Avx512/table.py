#!/usr/bin/env python3
"""Prints the table of run_models.c as assembler: a row for each array of the .npz of each model, whose numbers are written beside it.

  table.py FOLDER NAME=FILE.npz ...
"""
import ast, sys, zipfile

folder, *models = sys.argv[1:]
places = []


def place(content):
    places.append(f"  .balign 64\nplace{len(places)}:\n  {content}")
    return f"place{len(places) - 1}"


print('  .section .data.rel.ro, "aw"\n  .global rows\nrows:')
for name, path in (m.split("=", 1) for m in models):
    with zipfile.ZipFile(path) as arrays:
        for member in arrays.namelist():
            data = arrays.read(member)
            end = 10 + int.from_bytes(data[8:10], "little")
            shape = ast.literal_eval(data[10:end].decode())["shape"]
            key = member.removesuffix(".npy")
            file = f"{folder}/{name}.{key}.bin"
            with open(file, "wb") as out:
                out.write(data[end:])
            texts = f'.asciz "{key}"', f'.incbin "{file}"', ".quad " + ", ".join(map(str, shape or [1]))
            print(f"  .quad {name}_info, " + ", ".join(map(place, texts)))
    print("  .quad 0, 0, 0, 0")
print("  .quad 0, 0, 0, 0\n  .data", *places, '  .section .note.GNU-stack, "", @progbits', sep="\n")
