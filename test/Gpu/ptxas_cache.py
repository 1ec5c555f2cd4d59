"""ptxas for tests: cache/ptxas goes in front of PATH when this is imported, and keeps what ptxas makes in build/ptxas-cache by a hash
of PTX, flags and version. A kernel that has not changed costs nothing in the next run. The compiler knows nothing of it."""
import glob
import importlib.util
import os
import re
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.environ.get("COAT_BUILD", os.path.join(HERE, "../../build")), "ptxas-cache")
DAYS = 14


def tool_of_cuda(name):
    """On PATH, or from NVIDIA's Python packages; None."""
    if found := shutil.which(name):
        return found
    package = importlib.util.find_spec("nvidia")
    for place in package.submodule_search_locations if package else []:
        if found := glob.glob(os.path.join(place, "**/bin", name), recursive=True):
            return found[0]
    return None


def prune():
    """Takes away what no test has asked for lately."""
    for kept in glob.glob(os.path.join(FOLDER, "*.txt")):
        try:
            if time.time() - os.path.getmtime(kept) > DAYS * 86400:
                for path in glob.glob(kept[:-3] + "*"):
                    os.remove(path)
        except FileNotFoundError:
            pass  # another worker was first


def version_of(ptxas):
    return re.search(r"V([\d.]+)", subprocess.run([ptxas, "--version"], capture_output=True, text=True).stdout)[1]


if "COAT_PTXAS" not in os.environ and (found := tool_of_cuda("ptxas")):
    os.makedirs(FOLDER, exist_ok=True)
    prune()
    os.environ.update(COAT_PTXAS=found, COAT_PTXAS_CACHE=os.path.abspath(FOLDER), COAT_PTXAS_VERSION=version_of(found),
                      PATH=os.path.join(HERE, "cache") + os.pathsep + os.environ["PATH"])


class Assembled:
    """What `coat compile` has ptxas assemble within `with`: paths of cubins."""

    def __init__(self, log):
        self.log = str(log)

    def __enter__(self):
        os.environ["COAT_PTXAS_LOG"] = self.log
        return self

    def __exit__(self, *_):
        del os.environ["COAT_PTXAS_LOG"]

    def cubins(self):
        with open(self.log) as file:
            return sorted({line.strip() + ".cubin" for line in file})


def instructions(cubin):
    """The opcodes of a cubin's code, with their modifiers; kept beside it. Needs nvdisasm."""
    kept = cubin[:-len("cubin")] + "sass"
    if not os.path.exists(kept):
        text = subprocess.run([tool_of_cuda("nvdisasm"), "-ndf", "-c", cubin], check=True, capture_output=True, text=True).stdout
        found = sorted(set(re.findall(r"\*/\s+(?:@!?U?P\w+ )?([A-Z][A-Z0-9_.]*)", text)))
        with open(f"{kept}.{os.getpid()}", "w") as file:
            file.write("\n".join(found))
        os.replace(file.name, kept)
    with open(kept) as file:
        return file.read().split("\n")
