"""Install what was built as a stranger would, in an environment of its own for each Python and each extra.

    python -m tests.packages install DIST [EXTRA ...]
    python -m tests.packages lowest FILE

``install`` takes the wheel that lies in the folder DIST. ``lowest`` writes constraints: of each dependency the oldest
version that setup.cfg allows. Of each environment the licences of all that is in it are looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
LICENCES = Path(__file__).with_name("licences.py")
EXTRAS = ("", "cli", "testing", "zstd")
"""Without "localcloud" and "console", which are 600 MB: `tox -e packages -- localcloud console` installs them."""
WORKS = {
    "": "import hyperx_glance; [getattr(hyperx_glance, name) for name in hyperx_glance.__all__]",
    "cli": "from openstackclient.shell import main; raise SystemExit(main(['hyperx', 'image', 'list', '--help']))",
    "testing": re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1],  # type: ignore[index]
    "zstd": "from hyperx_glance.sources import unpacking; from backports import zstd",
    "console": "from hyperx_glance.testing.console import Console\n"
    "from importlib.resources import files\n"
    "assert files('hyperx_glance.testing.console').joinpath('page/index.html').is_file()\n"
    "with Console('http://127.0.0.1:9/v3'): pass",
    "localcloud": "from hyperx_glance.testing import LocalCloud; import cinder, glance, keystone, neutron, nova",
}


def pythons() -> list[str]:
    """Name the versions that setup.cfg promises."""
    return re.findall(r"Programming Language :: Python :: (\d+\.\d+)", (ROOT / "setup.cfg").read_text())


def interpreter(version: str) -> str | None:
    """Find a Python on the path that runs: one of pyenv's does so if its version is switched on."""
    variables = os.environ | {"PYENV_VERSION": version}
    for folder in os.get_exec_path():
        program = Path(folder) / f"python{version}"
        if program.exists():
            command = (str(program), "-c", "import sys; print(sys.executable)")
            found = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
            if found.returncode == 0:
                return str(found.stdout.strip())
    return None


def run(*command: str, folder: str) -> str:
    """Run a program outside the checkout, which would shadow the installed package; return its output if it failed."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout


def install(wheel: Path, version: str, extra: str) -> str:
    """Try one combination; return the problems."""
    python = interpreter(version)
    if python is None:
        return "there is no such Python on the path"
    with tempfile.TemporaryDirectory() as folder:
        own = f"{folder}/bin/python"
        return (
            run(python, "-m", "venv", folder, folder="/")
            or run(own, "-m", "pip", "install", "-q", f"{wheel}[{extra}]" if extra else str(wheel), folder=folder)
            or run(own, "-m", "pip", "check", folder=folder)
            or run(own, "-c", WORKS[extra], folder=folder)
            or run(own, "-P", str(LICENCES), folder=folder)
        )


def install_all(dist: Path, extras: tuple[str, ...]) -> int:
    """Try all combinations, and say how each went."""
    (wheel,) = dist.resolve().glob("*.whl")
    (source,) = dist.resolve().glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.getmember(f"{source.name.removesuffix('.tar.gz')}/LICENSE")
    combinations = [(version, extra) for version in pythons() for extra in extras]
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = pool.map(lambda each: install(wheel, *each), combinations)
        for (version, extra), problem in zip(combinations, problems, strict=True):
            failed += bool(problem)
            told = problem.strip() or "installs and works"
            print(f"Python {version}, {f'[{extra}]' if extra else 'no extra'}: {told}", flush=True)
    print(f"{len(combinations) - failed} passed, {failed} failed")
    return 1 if failed else 0


def lowest() -> str:
    """Write constraints."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    needed = setup["options"]["install_requires"] + "".join(setup["options.extras_require"].values())
    return "".join(f"{name}=={version}\n" for name, version in sorted(set(re.findall(r"([\w.-]+)>=([\d.]+)", needed))))


if __name__ == "__main__":
    action, place, *chosen = sys.argv[1:]
    if action == "lowest":
        Path(place).write_text(lowest())
    else:
        sys.exit(install_all(Path(place), tuple(chosen) or EXTRAS))
