# A PC from its reset to run_models() in 64-bit mode, with all of memory mapped and AVX-512 switched on. This is its ROM, at 0xf0000;
# the rest is on the disk, whose sectors go to 1 MiB (machine.ld).
  .section .rom, "ax"
  .code16
reset16:
  cli
  lgdtl %cs:(gdtr - 0xf0000)
  mov $0x11, %eax                 # protected mode
  mov %eax, %cr0
  ljmpl $0x08, $reset32

  .code32
reset32:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $0x100000, %edi             # the disk, 256 sectors at a time
  xor %ebx, %ebx
read:
  mov $0x1f2, %edx
  xor %eax, %eax
  out %al, %dx
  mov %ebx, %eax
  .rept 3
  inc %edx
  out %al, %dx
  shr $8, %eax
  .endr
  or $0xe0, %al
  inc %edx
  out %al, %dx
  inc %edx
  mov $0x20, %al
  out %al, %dx
sector:
  mov $0x1f7, %edx
  in %dx, %al
  and $0x88, %al
  cmp $0x08, %al                  # data, and not busy
  jne sector
  mov $0x1f0, %edx
  mov $256, %ecx
  rep insw
  inc %ebx
  test %bl, %bl
  jne sector
  cmp $image_sectors, %ebx
  jb read

  mov $bss_begin, %edi
  mov $bss_words, %ecx
  xor %eax, %eax
  rep stosl
  movl $directory + 7, root       # pages of 1 GiB, address = physical address
  movl $0x83, directory
  mov $root, %eax
  mov %eax, %cr3
  mov $0x40620, %eax              # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
  mov %eax, %cr4
  mov $0xc0000080, %ecx           # EFER.LME
  mov $0x100, %eax
  xor %edx, %edx
  wrmsr
  mov $0x80000033, %eax           # PG, NE, ET, MP, PE
  mov %eax, %cr0
  ljmpl $0x18, $reset64

  .code64
reset64:
  xor %ecx, %ecx                  # XCR0: x87, SSE, AVX, the masks and upper registers of AVX-512
  mov $0xe7, %eax
  xor %edx, %edx
  xsetbv
  mov $0x3ff00000, %esp
  call run_models

  .balign 8
gdt:
  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdtr:
  .word 31
  .long gdt

  .org 0xfff0
  .code16
  jmp reset16
  .org 0x10000

# What the vectors of exceptions jump to, 16 bytes each: trapped(stack), with the exception's number first.
  .text
  .code64
  .global traps
  .balign 16
traps:
  .set number, 0
  .rept 32
  pushq $number
  jmp trap
  .balign 16
  .set number, number + 1
  .endr
trap:
  mov %rsp, %rdi
  and $-16, %rsp
  call trapped

  .bss
  .balign 4096
root: .skip 4096
directory: .skip 4096
  .global kept_register           # of around_bochs.py
kept_register: .skip 64
  .section .note.GNU-stack, "", @progbits
