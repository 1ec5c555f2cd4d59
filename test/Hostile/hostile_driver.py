"""Runs the driver as a stranger's file must find it: bounded in time and memory, one line, nothing left behind."""
import os
import resource
import subprocess

import pytest

import coat

MEMORY, SECONDS = 8 << 30, 60


def limits():
    if not os.environ.get("COAT_TEST_SANITIZED"):  # sanitizers reserve terabytes of addresses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Driver:
    """`coat` in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir()

    def run(self, *words, seconds=SECONDS, before=lambda: None):
        """(exit status, the line on stderr). A crash, a second line or a control character fails the test."""

        def prepare():
            limits()
            before()

        done = subprocess.run([coat.driver(), *map(str, words)], cwd=self.folder, capture_output=True, timeout=seconds, preexec_fn=prepare)
        text = done.stderr.decode(errors="backslashreplace")
        assert done.returncode in (0, 1, 2), f"exit {done.returncode}: {text[-2000:]}"
        assert bool(text) == bool(done.returncode), text[-2000:]
        assert text.count("\n") == (1 if text else 0) and text.endswith("\n" if text else ""), f"expected one line, got {text[-2000:]!r}"
        assert not any(c < " " for c in text[:-1]), f"expected no control characters, got {text!r}"
        return done.returncode, text.rstrip("\n")

    def compile(self, model, *flags, **how):
        """Compiles to out/libnet.so; a refused model leaves nothing there."""
        status, line = self.run("compile", model, "-o", self.out / "libnet.so", "--name", "net", *flags, **how)
        left = sorted(p.name for p in self.out.iterdir())
        assert left == ([] if status else ["libnet.so", "net.h", "net.hpp", "net.json"])
        return status, line


@pytest.fixture
def driver(tmp_path):
    return Driver(tmp_path)
