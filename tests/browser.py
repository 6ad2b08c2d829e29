"""Pages in headless Chromium: what a script sees of them, without a driver or a network."""

import json
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)

needs_browser = pytest.mark.skipif(BROWSER is None, reason=f"needs one of {', '.join(NAMES)}")

# Errors are collected from the first script on; what the last one returns is left in an element.
FIRST = "<script>window.errors = []; window.onerror = (text) => { errors.push(text); };</script>"
LAST = """<script>
const answer = document.createElement("pre");
answer.id = "answer";
answer.textContent = JSON.stringify([(() => {%s})(), errors]);
document.body.append(answer);
</script>"""


def ask(page, script, folder, dark=False, width=1280):
    """Open a page (a string), run a script in it, and return what that returns.

    Args:
        page: HTML.
        script: Body of a function of JavaScript.
        folder: Where to write the page and the browser's own files.
        dark: Whether the system prefers dark colours.
        width: Width of the window in pixels.
    """
    path = folder / "asked.html"
    path.write_text(page.replace("<head>", f"<head>{FIRST}", 1) + LAST % script, "utf-8")
    command = [BROWSER, "--headless", "--disable-gpu", "--no-sandbox", "--no-first-run"]
    command += [f"--user-data-dir={folder / 'browser'}", f"--window-size={width},900"]
    command += ["--force-dark-mode"] * dark
    # No name can be looked up: a page that loads anything shows errors.
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000"]
    command += ["--enable-logging=stderr", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"the page did not run to its end: {console}"
    text = found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    answer, errors = json.loads(text)
    assert (errors, console) == ([], [])
    return answer
