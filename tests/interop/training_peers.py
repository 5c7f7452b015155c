"""tools/bench/peers without PyTorch: usage, the skip where it cannot be had, what is started where it can.

No network: `python3` and `pip` are stubs on a PATH of its own, and `torch` one that is not there.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

PEERS = pathlib.Path(sys.argv[1]).resolve()
SCRIPT = str(PEERS / "compare_training.sh")


def check(what, holds, found):
    if not holds:
        sys.exit(f"FAILED: {what}\n{found}")
    print(f"ok: {what}")


def run(words, **changes):
    result = subprocess.run(words, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **changes},
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout, result.stderr


def stub(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + lines)
    path.chmod(0o755)


def check_usage():
    for name, flags in (("accuracy.py", ("--seeds", "--precisions", "--json", "--penstock")),
                        ("compare_training.py", ("--penstock", "--case", "--rounds", "--json")),
                        ("torch_step.py", ("--model", "--precision", "--layout"))):
        code, out, err = run([sys.executable, str(PEERS / name), "--help"])
        check(f"{name} --help names its flags", code == 0 and all(flag in out for flag in flags),
              out + err)
    code, out, err = run([SCRIPT])
    check("compare_training.sh alone says how it is called",
          code == 2 and "compare_training.sh PENSTOCK" in err, out + err)


def check_without_torch(folder):
    (folder / "absent").mkdir()
    (folder / "absent" / "torch.py").write_text("raise ImportError('no torch here')\n")
    words = [sys.executable, str(PEERS / "accuracy.py"), "pictures", "x.ds", "x.toml"]
    code, out, err = run(words, PYTHONPATH=str(folder / "absent"))
    check("accuracy.py says what it lacks",
          code == 1 and "accuracy: expected torch and torchvision, found no torch here" in err,
          out + err)

    stub(folder / "bin" / "python3", "exit 1\n")
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    code, out, err = run([SCRIPT, "penstock", str(folder / "none")], PATH=path)
    check("compare_training.sh is skipped where no environment can be made",
          code == 77 and out.startswith("skipped: python3 -m venv "), out + err)

    # An environment whose Python has no torch, and whose pip fails.
    stub(folder / "venv" / "bin" / "python", "exit 1\n")
    stub(folder / "venv" / "bin" / "pip", "exit 1\n")
    stub(folder / "bin" / "python3", "exit 0\n")
    code, out, err = run([SCRIPT, "penstock", str(folder / "venv")], PATH=path)
    check("compare_training.sh is skipped where PyTorch cannot be installed",
          code == 77 and out == "skipped: PyTorch could not be installed\n", out + err)


def check_with_torch(folder):
    """An environment whose Python has all that is asked for, and says what it is to run."""
    stub(folder / "full" / "bin" / "python", '[ "$1" = -c ] || echo "$@"\n')
    compare = str(PEERS / "compare_training.py")
    code, out, err = run([SCRIPT, "penstock", str(folder / "full"), "--rounds", "9"])
    check("compare_training.sh runs both cases",
          code == 0 and out == "".join(f"{compare} --penstock penstock --case {case} --rounds 9\n"
                                       for case in ("paired_cnn", "resnet18")), out + err)
    code, out, err = run([SCRIPT, "penstock", str(folder / "full"), "--case", "resnet18"])
    check("compare_training.sh runs the case that is named",
          code == 0 and out == f"{compare} --penstock penstock --case resnet18\n", out + err)


with tempfile.TemporaryDirectory() as place:
    check_usage()
    check_without_torch(pathlib.Path(place))
    check_with_torch(pathlib.Path(place))
