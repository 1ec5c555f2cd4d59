"""The machine a result was measured on."""
import datetime
import os
import platform
import re


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def machine():
    info = read("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.*)", info)
    kind = [re.search(rf"{key}\s*: (\d+)", info) for key in ("cpu family", r"\bmodel", "stepping")]
    caches = {}
    base = "/sys/devices/system/cpu/cpu0/cache"
    for index in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        if level := read(f"{base}/{index}/level"):
            if read(f"{base}/{index}/type") != "Instruction":
                caches[f"L{level}"] = read(f"{base}/{index}/size")
    flags = set(re.search(r"flags\s*: (.*)", info).group(1).split()) if "flags" in info else set()
    memory = re.search(r"MemTotal:\s*(\d+)", read("/proc/meminfo"))
    return {"cpu": cpu.group(1) if cpu else platform.processor(), "family_model_stepping": [int(k.group(1)) for k in kind if k], "cores": os.cpu_count(), "used": sorted(os.sched_getaffinity(0)),
            "caches": caches, "isa": [f for f in ("sse4_2", "avx2", "fma", "avx512f", "amx_tile") if f in flags],
            "memory_gib": round(int(memory.group(1)) / 2**20) if memory else None,
            "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
            "date": datetime.date.today().isoformat()}
