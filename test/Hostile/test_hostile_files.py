"""Files around the model: external data that is not ours, arrays, output folders that are full or closed."""
import io
import os
import resource
import signal
import socket
import struct
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hostile_driver import driver  # noqa: F401, a fixture

VALUES = np.arange(80, dtype=np.float32)


def external(folder, location, **fields):
    """model.onnx, whose one initializer of 320 bytes lies at `location`."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[80], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **fields}.items():
        weights.external_data.add(key=key, value=str(value))
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [80])],
                              [helper.make_empty_tensor_value_info("y")], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx")


@pytest.fixture
def secret(driver):
    """A file outside the model's folder; the model is in driver.folder."""
    driver.folder = driver.folder / "model"
    driver.folder.mkdir()
    path = driver.folder.parent / "secret"
    path.write_bytes(VALUES.tobytes())
    return path


@pytest.mark.parametrize("location", ["{secret}", "../secret", "sub/../../secret", "link", "linked folder/secret", "hard link", "", ".", "..", "/",
                                      "missing", "w\0.bin", "fifo", "socket", "sub", "/dev/zero", "/proc/self/environ", "//dev/zero", "w" * 5000])
def test_location(driver, secret, location):
    (driver.folder / "sub").mkdir()
    (driver.folder / "link").symlink_to(secret)
    (driver.folder / "linked folder").symlink_to(secret.parent)
    os.link(secret, driver.folder / "hard link")
    os.mkfifo(driver.folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(driver.folder)  # addresses of sockets are short
        listener.bind("socket")
        os.chdir(here)
        external(driver.folder, location.format(secret=secret))
        status, line = driver.compile("model.onnx", seconds=20)
    assert status == 1 and "tensor 'w'" in line and "external data" in line, line


@pytest.mark.parametrize("fields", [dict(offset=1), dict(offset=320), dict(offset=2 ** 64 - 1), dict(offset=-1), dict(offset="0x10"), dict(length=321),
                                    dict(length=319), dict(length=2 ** 64 - 1), dict(offset=2 ** 63, length=2 ** 63), dict(length=""), dict(offset=2 ** 70)])
def test_range(driver, fields):
    (driver.folder / "w.bin").write_bytes(VALUES.tobytes())
    external(driver.folder, "w.bin", **fields)
    status, line = driver.compile("model.onnx")
    assert status == 1 and "tensor 'w'" in line, line


@pytest.mark.parametrize("location", ["w.bin", "./w.bin", "sub/w.bin", "sub//w.bin", "near"])
def test_external_right(driver, location):
    (driver.folder / "sub").mkdir()
    for place in ("w.bin", "sub/w.bin"):
        (driver.folder / place).write_bytes(b"..." + VALUES.tobytes())  # weights that are not aligned
    (driver.folder / "near").symlink_to("sub/w.bin")
    external(driver.folder, location, offset=3)
    assert driver.compile("model.onnx") == (0, "")


# ---- Arrays. ----


def npy(text, data=b"\0" * 64):
    header = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + data


ARRAYS = {
    "big-endian": npy("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }"),
    "of Fortran": npy("{'descr': '<f4', 'fortran_order': True, 'shape': (4,), }"),
    "negative": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }"),
    "huge": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"),
    "large": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"),
    "empty twice": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9223372036854775807), }"),
    "short": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", b"\0" * 15),
    "pickled": npy("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }"),
    "without a type": npy("{'fortran_order': False, 'shape': (4,), }"),
    "without a shape": npy("{'descr': '<f4', 'fortran_order': False, }"),
    "of keys only": npy("'descr''fortran_order''shape'"),
    "with an open header": npy("{'descr': '<f4', 'fortran_order': False, 'shape':"),
    "with a long header": b"\x93NUMPY\x02\0\xff\xff\xff\xff",
    "with half a magic": b"\x93NUM",
    "nothing": b"",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    import coat

    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
                              [helper.make_empty_tensor_value_info("y")])
    path = tmp_path_factory.mktemp("library") / "librelu.so"
    coat.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)).save(path)
    return path


@pytest.mark.parametrize("name", ARRAYS)
def test_array(driver, library, name):
    (driver.folder / "x.npy").write_bytes(ARRAYS[name])
    status, line = driver.run("run", library, "--input", "x.npy", "-o", "y.npy")
    assert status == 1 and ("x.npy" in line or "x: expected shape" in line), line
    assert not (driver.folder / "y.npy").exists()


def test_archive_that_lies(driver, library):
    """Sizes beyond the file itself: refused before memory is taken for them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"))
    data = bytearray(buffer.getvalue())
    sizes = data.index(b"PK\1\2") + 20  # of the entry in the directory: compressed, then whole
    data[sizes:sizes + 8] = struct.pack("<II", 0x7ffffff0, 0x7ffffff0)
    (driver.folder / "x.npz").write_bytes(data)
    status, line = driver.run("run", library, "--input", "x.npz", "-o", "y.npy", seconds=5)
    assert status == 1 and "x.npz" in line, line


def test_library(driver, library):
    """coat run of something that is no library. One that is cut off is code, and as trusted as any other."""
    for name, bytes_ in {"text.so": b"hello", "header.so": library.read_bytes()[:20], "empty.so": b""}.items():
        (driver.folder / name).write_bytes(bytes_)
        status, line = driver.run("run", driver.folder / name)
        assert status == 1 and name in line, line


# ---- Output. ----

OUTPUTS = ["libnet.so", "libnet.a", "net.o", "net.s", "net.ll", "net.bc", "net.mlir", "net.mlirbc"]


def model(folder):
    external(folder, "w.bin")
    (folder / "w.bin").write_bytes(VALUES.tobytes())


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("bytes_", [0, 600, 3000])
def test_full_disk(driver, output, bytes_):
    """Files that cannot grow beyond `bytes_`: the write fails as on a full disk."""
    model(driver.folder)

    def full():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    temporary = driver.folder / "tmp"
    temporary.mkdir()
    os.environ["TMPDIR"], before = str(temporary), os.environ.get("TMPDIR")
    try:
        flags = ("--stop-after=import",) if output.endswith((".mlir", ".mlirbc")) else ()
        status, line = driver.run("compile", "model.onnx", "-o", driver.out / output, *flags, before=full)
    finally:
        os.environ.pop("TMPDIR")
        if before:
            os.environ["TMPDIR"] = before
    assert status in (0, 1), line
    assert status == 0 or not list(driver.out.iterdir())
    assert status == 1 or bytes_
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("output", OUTPUTS)
def test_closed_folder(driver, output):
    model(driver.folder)
    driver.folder.chmod(0o755)
    driver.out.chmod(0o555)

    def nobody():
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    for folder in driver.folder.parents:
        if not os.stat(folder).st_mode & 1:
            folder.chmod(os.stat(folder).st_mode | 0o111)
    flags = ("--stop-after=import",) if output.endswith((".mlir", ".mlirbc")) else ()
    status, line = driver.run("compile", "model.onnx", "-o", driver.out / output, *flags, before=nobody)
    assert status == 1 and output in line and "ermission denied" in line, line
    assert not list(driver.out.iterdir())


def test_output_is_a_folder(driver):
    model(driver.folder)
    (driver.out / "libnet.so").mkdir()
    status, line = driver.run("compile", "model.onnx", "-o", driver.out / "libnet.so")
    assert status == 1 and "libnet.so" in line, line
    assert [p.name for p in driver.out.iterdir()] == ["libnet.so"]
