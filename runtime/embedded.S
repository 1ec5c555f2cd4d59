// Files that the tool carries inside; the assembler's include path leads to them.
.macro carry name, file
  .balign 16
  .globl \name\()Begin
  .hidden \name\()Begin
\name\()Begin:
  .incbin "\file"
  .globl \name\()End
  .hidden \name\()End
\name\()End:
  .byte 0
.endm

.section .rodata
carry coatModelX86, model.x86_64.bc
carry coatModelArm, model.aarch64.bc
carry coatCudaX86, cuda.x86_64.bc
carry coatCudaArm, cuda.aarch64.bc
carry coatHeader, coat.h

.section .note.GNU-stack, "", %progbits
