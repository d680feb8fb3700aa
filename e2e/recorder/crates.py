"""Records real crates for tests that run without the public crates registry.

usage: crates.py OUTPUT_FOLDER WORKSPACE_FOLDER

Lets the machine's cargo fetch what the workspace needs, from whatever registry it is configured for, into an empty
CARGO_HOME, and takes index files and crates from there. No address is known here, and none is asked for.

Kept are
  index/=NAME             the lines of the crate's index file, as the registry sent them
  files/=NAME-VERSION.crate
  Cargo.lock              of the workspace
  complete                written last
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# The layout of cargo's own cache of index files, which is: this byte, the highest format of a line that cargo knew
# (4 bytes), a validator that ends in NUL, and then for each version its number and its line, each ending in NUL.
CACHE_FORMAT = 3


def run(command, folder, environment):
    ran = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    return ran.stdout


def lines_of(cached):
    if cached[0] != CACHE_FORMAT:
        sys.exit(f"this cargo caches index files in a form that is not known here ({cached[0]})")
    parts = cached[5:].split(b"\0")
    return b"".join(line + b"\n" for line in parts[2::2])


def copy_configuration(home):
    """The person's own cargo configuration, which says where crates come from."""
    configured = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    for name in ["config", "config.toml", "credentials", "credentials.toml"]:
        if (configured / name).is_file():
            shutil.copy(configured / name, home / name)


def main():
    output, workspace = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    (output / "index").mkdir(parents=True, exist_ok=True)
    (output / "files").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        home, work = scratch / "home", scratch / "work"
        home.mkdir()
        copy_configuration(home)
        shutil.copytree(workspace, work)
        environment = {**os.environ, "CARGO_HOME": str(home)}
        host = run(["rustc", "-vV"], scratch, environment).split("host: ")[1].split()[0]
        run(["cargo", "fetch", "--target", host], work, environment)
        shutil.copy(work / "Cargo.lock", output / "Cargo.lock")
        for file in home.glob("registry/index/*/.cache/**/*"):
            if file.is_file():
                (output / "index" / f"={file.name}").write_bytes(lines_of(file.read_bytes()))
        for file in home.glob("registry/cache/*/*.crate"):
            shutil.copy(file, output / "files" / f"={file.name}")
    (output / "complete").write_text("\n")


if __name__ == "__main__":
    main()
