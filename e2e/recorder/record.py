"""Records real packages of the public registries for tests that run without them.

usage: record.py OUTPUT_FOLDER APP_FOLDER PIP_PYTHON

Stands between the ordinary clients and whatever registry they are configured for: starts a proxy on loopback, runs
`npm install` for the application and `pip download` for its requirements through it, and keeps every document and file
that passed. In the kept documents the registry's address is a placeholder, which the stand-in registry of the tests
replaces by its own. No address is known here: npm and pip are asked for theirs.

Kept are
  npm/packuments/=NAME       the full document; a slash in NAME is written as `!`
  npm/tarballs/=NAME!-!FILE
  npm/public-lock.json       a lock file made without the proxy, with the registry's own addresses in it
  npm/app-lock.json          the same without addresses
  pypi/pages/=NAME           the project's page as JSON
  pypi/files/=FILE           distributions, and FILE.metadata
  complete                   written last
"""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PLACEHOLDER = "http://registry.invalid"
JSON_PAGE = "application/vnd.pypi.simple.v1+json"

# What tools build and install packages with; tests build real projects from source through Larder.
BUILD_TOOLS = ["setuptools", "wheel", "flit_core", "poetry-core", "hatchling", "pdm-backend"]
# Fetched as source, besides the wheel.
SOURCES = ["six==1.17.0"]


def fetch(url, accept="*/*"):
    """The body of a URL; tries again when the network fails. Raises HTTPError for an answer that is an error."""
    request = urllib.request.Request(url, headers={"Accept": accept, "Accept-Encoding": "identity"})
    for attempt in range(4):
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if attempt == 3:
                raise
            time.sleep(1 + attempt)
    raise AssertionError("unreachable")


def kept_name(path):
    return "=" + path.replace("/", "!")


class Recorder:
    """What was fetched, and where from."""

    def __init__(self, output, npm_registry, simple_index):
        self.output = output
        self.npm_registry = npm_registry.rstrip("/") + "/"
        self.simple_index = simple_index.rstrip("/") + "/"
        self.file_urls = {}
        for folder in ["npm/packuments", "npm/tarballs", "pypi/pages", "pypi/files"]:
            (output / folder).mkdir(parents=True, exist_ok=True)

    def keep(self, folder, name, body):
        path = self.output / folder / kept_name(name)
        partial = path.with_name(f"{path.name}.{threading.get_ident()}")
        partial.write_bytes(body)
        partial.rename(path)

    def kept(self, folder, name):
        path = self.output / folder / kept_name(name)
        return path.read_bytes() if path.exists() else None

    def npm(self, path):
        """`NAME` or `NAME/-/FILE`, decoded."""
        if "/-/" in path:
            body = self.kept("npm/tarballs", path)
            if body is None:
                body = fetch(self.npm_registry + urllib.parse.quote(path, safe="/@"))
                self.keep("npm/tarballs", path, body)
            return "application/octet-stream", body
        body = self.kept("npm/packuments", path)
        if body is None:
            body = self.packument(path)
            self.keep("npm/packuments", path, body)
        return "application/json", body

    def packument(self, name):
        document = json.loads(fetch(self.npm_registry + name.replace("/", "%2f"), "application/json"))
        for version, entry in document.get("versions", {}).items():
            basename = name.split("/")[-1]
            entry["dist"]["tarball"] = f"{PLACEHOLDER}/npm/{name}/-/{basename}-{version}.tgz"
        return json.dumps(document, separators=(",", ":")).encode()

    def page(self, name):
        body = self.kept("pypi/pages", name)
        url = urllib.parse.urljoin(self.simple_index, name + "/")
        if body is None or not self.file_urls.get(name):
            document = json.loads(fetch(url, JSON_PAGE))
            self.file_urls[name] = True
            for file in document["files"]:
                self.file_urls[file["filename"]] = urllib.parse.urljoin(url, file["url"])
                file["url"] = f"{PLACEHOLDER}/pypi/files/{file['filename']}"
                file.pop("provenance", None)
            body = json.dumps(document, separators=(",", ":")).encode()
            self.keep("pypi/pages", name, body)
        return JSON_PAGE, body

    def file(self, name):
        body = self.kept("pypi/files", name)
        if body is None:
            file, metadata = (name[: -len(".metadata")], ".metadata") if name.endswith(".metadata") else (name, "")
            body = fetch(self.file_urls[file] + metadata)
            self.keep("pypi/files", name, body)
        return "application/octet-stream", body


def handler(recorder):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            try:
                content_type, body = self.find(path)
                status = 200
            except urllib.error.HTTPError as error:
                status, content_type, body = error.code, "text/plain", b"refused by the registry"
            except KeyError:
                status, content_type, body = 404, "text/plain", b"not here"
            own = f"http://{self.headers['Host']}".encode()
            if content_type != "application/octet-stream":
                body = body.replace(PLACEHOLDER.encode(), own)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def find(self, path):
            if path.startswith("/npm/"):
                return recorder.npm(path[len("/npm/"):])
            if path.startswith("/pypi/simple/"):
                return recorder.page(path[len("/pypi/simple/"):].strip("/"))
            if path.startswith("/pypi/files/"):
                return recorder.file(path[len("/pypi/files/"):])
            raise KeyError(path)

        def log_message(self, *arguments):
            pass

    return Handler


def run(command, folder, **extra):
    environment = {**os.environ, **extra}
    ran = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    return ran.stdout.strip()


def simple_index(python, folder):
    """The index that pip is configured for, or its built-in one."""
    configured = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.index-url"], cwd=folder, capture_output=True, text=True
    )
    if configured.returncode == 0:
        return configured.stdout.strip()
    return run([python, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"], folder)


def record_npm(base, app, output, scratch):
    work = scratch / "app"
    shutil.copytree(app, work)
    lock_only = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    run([*lock_only, "--omit-lockfile-registry-resolved=false"], work)
    shutil.copy(work / "package-lock.json", output / "npm/public-lock.json")
    (work / "package-lock.json").unlink()
    # Both forms of resolving ask for different documents; the install fetches the tarballs.
    npm = ["npm", "--registry", f"{base}/npm/", "--cache", str(scratch / "cache"), "--no-audit", "--no-fund"]
    run([*npm, "install", "--ignore-scripts", "--omit-lockfile-registry-resolved=true"], work)
    shutil.copy(work / "package-lock.json", output / "npm/app-lock.json")


def record_python(base, python, app, scratch):
    index = ["--index-url", f"{base}/pypi/simple/", "--no-cache-dir", "--quiet", "--dest", str(scratch / "dist")]
    download = [python, "-m", "pip", "download", *index]
    clean = {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
    run([*download, "-r", str(app / "requirements.txt")], scratch, **clean)
    run([*download, *BUILD_TOOLS], scratch, **clean)
    run([*download, "--no-deps", "--no-binary", ":all:", *SOURCES], scratch, **clean)


def main():
    output, app, python = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        registry = run(["npm", "config", "get", "registry"], scratch)
        recorder = Recorder(output, registry, simple_index(python, scratch))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(recorder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        record_npm(base, app, output, scratch)
        record_python(base, python, app, scratch)
        server.shutdown()
    (output / "complete").write_text("\n")


if __name__ == "__main__":
    main()
