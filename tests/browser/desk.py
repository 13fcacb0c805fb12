"""Runs the real binary, and opens its page in the system's own Chromium."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Noted in the page before anything of it runs.
NOTES = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def clean_environment(extra):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLIMSOLL")}
    return {**kept, **extra}


class Runtime:
    """A running plimsoll; use as a context manager."""

    def __init__(self, binary, *arguments, data=None, env=None):
        self.binary = binary
        self.own = data is None
        self.data = data or tempfile.mkdtemp(prefix="plimsoll-browser-")
        self.command = [binary, *arguments, "--listen", "127.0.0.1:0", "--data-dir", self.data]
        self.env = clean_environment(env or {})

    def __enter__(self):
        self.log = open(os.path.join(self.data, "stderr.log"), "a")
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.env
        )
        line = self.process.stdout.readline().strip()
        self.url = line.rsplit(" ", 1)[-1]
        assert self.url.startswith("http://"), f"no address in {line!r} of {self.command}"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)

    def ask(self, method, path, body=None, headers=None):
        """Status and JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("content-type", "application/json")
        if "/controls/" in path:
            request.add_header("idempotency-key", uuid.uuid4().hex)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def state(self):
        return self.ask("GET", "/api/v1/status")[1]["state"]

    def until(self, what, good, within=30):
        until(what, good, within)

    def running(self):
        until("running", lambda: self.ask("GET", "/readyz")[0] == 200, 60)
        return self

    def steer(self, verb, reason="a test"):
        headers = {}
        if verb in ("resume", "reset"):
            version = self.ask("GET", "/api/v1/status")[1]["state_version"]
            headers["if-match"] = f'"state-{version}"'
        return self.ask("POST", f"/api/v1/controls/{verb}", {"reason": reason}, headers)

    def token(self, name, *scopes):
        command = [self.binary, "token", "create", name, "--scope", *scopes, "--data-dir", self.data]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=self.env).stdout.strip()

    def revoke(self, name):
        command = [self.binary, "token", "revoke", name, "--data-dir", self.data]
        subprocess.run(command, capture_output=True, text=True, check=True, env=self.env)


class Venue:
    """A running exchange; use as a context manager."""

    ask = Runtime.ask

    def __init__(self, binary):
        self.binary = binary

    def __enter__(self):
        command = [self.binary, "venue", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://" + self.process.stdout.readline().strip().rsplit(" ", 1)[-1].removeprefix("http://")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(timeout=20)


@contextmanager
def trading(binary, address):
    """A runtime with the settings that `config init --paper` writes for an exchange."""
    with tempfile.NamedTemporaryFile("w", prefix="plimsoll-browser-", suffix=".yaml") as file:
        subprocess.run([binary, "config", "init", "--paper", address], stdout=file, check=True)
        with Runtime(binary, "run", "--config", file.name) as desk:
            yield desk


def until(what, good, within=30):
    end = time.monotonic() + within
    while not good():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


class Watched:
    """A page that remembers everything that should not have happened on it."""

    def __init__(self, page, allowed=()):
        self.page, self.allowed, self.complaints = page, allowed, []
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.add_init_script(NOTES)

    def console(self, message):
        if message.type in ("error", "warning") and not any(word in message.text for word in self.allowed):
            self.complaints.append(f"console: {message.text}")

    def is_clean(self):
        assert not self.complaints, self.complaints
        violations = self.page.evaluate("() => window.__violations ?? []")
        assert violations == [], violations


@contextmanager
def opened(browser, url, allowed=(), path="/", **context):
    """The page, connected."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
    page = context.new_page()
    watched = Watched(page, allowed)
    page.goto(url + path)
    try:
        yield page
        watched.is_clean()
    finally:
        context.close()


def banner(page):
    return page.locator(".banner .word strong").inner_text().upper()


def shows(page, word, within=8):
    try:
        page.wait_for_function(
            "(word) => document.querySelector('.banner .word strong')?.textContent.toUpperCase() === word",
            arg=word,
            timeout=within * 1000,
        )
    except Exception:
        raise AssertionError(f"the banner says {banner(page)!r}, not {word!r}")
