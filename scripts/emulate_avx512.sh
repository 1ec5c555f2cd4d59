#!/usr/bin/env bash
# Runs compiled models on an emulated CPU with AVX-512, for machines that have none: scripts/emulate_avx512.sh [MODEL ..]
# A MODEL is a .onnx file, or the name of one of build/models; the .npz beside it has inputs by name and expected outputs output_0 ..
# All are linked into one program that runs on a bare PC (test/Avx512), which Bochs emulates one instruction at a time; it prints a
# line for each model.
# Needs Debian's packages: apt install bochs bochs-term vgabios
# MARCH=icelake-server BOCHS_CPU=corei7_icelake_u: another CPU (`bochs -help cpu`); COAT: the compiler; FLAGS: more options for it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- lenet5 cross_attention conv_attention text_classifier plain_attention deformable lstm_attention conv3d unet_attention
build=$(realpath "${COAT_BUILD:-build}")
work=$build/avx512
models=$build/models
rm -rf "$work"
mkdir -p "$work"

libraries=()
arrays=()
for model; do
  onnx=$model
  [ -f "$onnx" ] || onnx=$models/$model.legacy.onnx
  [ -f "$onnx" ] || onnx=$models/$model.onnx
  name=$(basename "${onnx%.onnx}" .legacy)
  npz=$(dirname "$onnx")/$name.npz
  name=m_${name//[.-]/_}
  # shellcheck disable=SC2206 # FLAGS are words
  compile=("${COAT:-$build/bin/coat}" compile "$onnx" -march="${MARCH:-x86-64-v4}" ${FLAGS:-} --name "$name" -o)
  "${compile[@]}" "$work/$name.o"
  if objdump -d "$work/$name.o" | grep -E 'kshift[lr]w +\$0xf,|v.*(gather|scatter).*\([^)]*mm(1[6-9]|2[0-9]|3[01])' > /dev/null; then
    "${compile[@]}" "$work/$name.s"
    python3 test/Avx512/around_bochs.py < "$work/$name.s" | as -o "$work/$name.o" -
  fi
  libraries+=("$work/$name.o")
  arrays+=("$name=$npz")
done
python3 test/Avx512/table.py "$work" "${arrays[@]}" > "$work/table.S"
cc -std=c11 -Wall -Wextra -O1 -Iruntime -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
  -nostdlib -static -no-pie -Wl,-T,test/Avx512/machine.ld,--build-id=none,--no-warn-rwx-segments \
  test/Avx512/machine.S test/Avx512/run_models.c "$work/table.S" "${libraries[@]}" -o "$work/machine"
objcopy -O binary -j .rom "$work/machine" "$work/rom"
objcopy -O binary -j .image "$work/machine" "$work/disk"
truncate -s +131072 "$work/disk" # the last sectors that are read
truncate -s %516096 "$work/disk" # whole cylinders

cat > "$work/bochsrc" <<END
display_library: term
megs: 1024
cpu: model=${BOCHS_CPU:-corei7_skylake_x}, ips=1000000
romimage: file=$work/rom
ata0-master: type=disk, mode=flat, path=$work/disk, cylinders=0
parport1: enabled=1, file=$work/lines
sound: driver=dummy
clock: sync=none
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
END
echo c > "$work/continue" # Debian's Bochs is built with its debugger
TERM=vt100 timeout -k 5 7200 bochs -q -f "$work/bochsrc" -rc "$work/continue" < /dev/null > "$work/screen" 2>&1 || true
cat "$work/lines"
[ "$(grep -c ': right, ' "$work/lines")" = $# ] && grep -q '^done' "$work/lines"
