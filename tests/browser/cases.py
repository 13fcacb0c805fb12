"""What an operator must be able to rely on, in a real browser against the real binary. One function for each case."""

import os
import shutil
import signal
import tempfile
import time

from axe_playwright_python.sync_playwright import Axe

from desk import Runtime, Venue, banner, opened, shows, trading, until

LABEL = "demo"
FIRST_LOAD_BYTES = 120 * 1024
USABLE_WITHIN_MS = 1_000
UPDATE_MS = 50
HOSTILE = "<img src=x onerror=window.pwned=1>\"'><script>window.pwned=2</script>"


def demo(binary, **options):
    return Runtime(binary, "demo", **options)


def is_accessible(page, what):
    found = Axe().run(page).response["violations"]
    grave = [f"{one['id']}: {one['nodes'][0]['target']}" for one in found if one["impact"] in ("serious", "critical")]
    assert not grave, f"{what}: {grave}"


def connected(page):
    page.wait_for_function("() => window.plimsoll && !document.body.classList.contains('lost') "
                           "&& document.getElementById('utc').textContent !== ''")


def first_load(binary, browser):
    """Small, soon, without a word on the console, and clean by the policy."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            loaded = page.evaluate("""() => {
                const [page] = performance.getEntriesByType('navigation');
                const files = performance.getEntriesByType('resource').filter((one) => one.name.includes('/assets/'));
                return {bytes: page.encodedBodySize + files.reduce((sum, one) => sum + one.encodedBodySize, 0),
                        ready: page.domContentLoadedEventEnd};
            }""")
            print(f"    {loaded['bytes'] / 1024:.1f} KB compressed, usable after {loaded['ready']:.0f} ms")
            assert loaded["bytes"] < FIRST_LOAD_BYTES, loaded
            idle = os.getloadavg()[0] < (os.cpu_count() or 1)
            assert loaded["ready"] < USABLE_WITHIN_MS or not idle, loaded
            assert "PAPER" in page.locator(".stake").inner_text()
            assert banner(page) == "RUNNING"
            is_accessible(page, "the desk")


def pause_and_resume(binary, browser):
    """Pause is one click; resume asks for a reason and the label."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            page.click(".c-pause button")
            shows(page, "PAUSED")
            assert desk.state() == "paused" and "PAUSED" in page.title()
            page.click(".c-resume")
            assert page.evaluate("() => document.activeElement.textContent") == "Cancel"
            page.fill("#d-resume [name=reason]", "looked at everything")
            page.fill("#d-resume [name=label]", "another")
            page.click("#d-resume button.go")
            page.wait_for_function("() => document.querySelector('#d-resume .said').textContent.includes('type it exactly')")
            assert desk.state() == "paused"
            page.fill("#d-resume [name=label]", LABEL)
            page.click("#d-resume button.go")
            shows(page, "RUNNING")
            page.click("[data-opens=reduce-only]")
            page.fill("#d-reduce-only [name=reason]", "smaller only")
            page.click("#d-reduce-only button.go")
            shows(page, "REDUCE ONLY")


def kill_and_reset(binary, browser):
    """Kill takes two steps, with Cancel in focus; reset leads to paused, not to trading."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            page.keyboard.press("Shift+K")
            dialog = page.locator("#d-kill")
            assert page.evaluate("() => document.activeElement.textContent") == "Cancel"
            text = dialog.inner_text().lower()
            for fact in (LABEL, "paper", "open positions", "open orders", "gross exposure", "resting orders"):
                assert fact in text, f"{fact} is not said in {text!r}"
            is_accessible(page, "the kill dialog")
            page.keyboard.press("Enter")
            assert not dialog.is_visible() and desk.state() == "running", "Enter must cancel"
            page.click(".controls .kill")
            page.click("#d-kill button.kill")
            shows(page, "KILLED")
            assert desk.state() == "halted" and page.title().startswith("KILLED")
            assert "icon-crit" in page.get_attribute("#icon", "href")
            box = page.locator(".banner.killed").bounding_box()
            assert box["width"] >= 1440, box
            assert page.locator("#shout").inner_text().startswith("KILLED")
            is_accessible(page, "killed")
            page.click(".c-reset")
            page.fill("#d-reset [name=reason]", "the cause is gone")
            page.fill("#d-reset [name=label]", LABEL)
            page.click("#d-reset button.go")
            shows(page, "PAUSED")
            assert desk.state() == "paused"


def stale_page(binary, browser):
    """What was opened before the state changed is refused, and says so."""
    with demo(binary) as desk:
        desk.running()
        desk.steer("pause")
        with opened(browser, desk.url, allowed=["412"]) as page:
            connected(page)
            page.click(".c-resume")
            page.fill("#d-resume [name=reason]", "looked at everything")
            page.fill("#d-resume [name=label]", LABEL)
            assert desk.steer("reduce-only", "somebody else")[0] == 200
            page.wait_for_function("() => document.querySelector('#d-resume .said').textContent.includes('has changed')")
            page.click("#d-resume button.go")
            page.wait_for_function("() => document.querySelector('#d-resume .said').textContent.includes('412')")
            assert desk.state() == "reduce_only"


def keys(binary, browser):
    """Keys open things. None of them does anything."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            for key, name in (("p", "pause"), ("Shift+K", "kill"), ("?", "help")):
                page.keyboard.press(key)
                assert page.locator(f"#d-{name}").is_visible(), name
                page.keyboard.press("Escape")
                assert not page.locator(f"#d-{name}").is_visible(), name
            page.keyboard.press("g")
            page.keyboard.press("o")
            assert page.evaluate("() => document.activeElement.id") == "s-orders"
            time.sleep(0.5)
            assert desk.state() == "running"


def link_loss(binary, browser):
    """A runtime that says nothing is shown as lost within three seconds; afterwards the whole page is the present."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url, allowed=["ERR_"]) as page:
            connected(page)
            os.kill(desk.process.pid, signal.SIGSTOP)
            began = time.monotonic()
            page.wait_for_function("() => document.body.classList.contains('lost')", timeout=6000)
            took = time.monotonic() - began
            print(f"    shown after {took:.2f} s")
            assert took < 3.5, took
            assert page.title().startswith("LINK LOST") and "icon-stale" in page.get_attribute("#icon", "href")
            assert page.locator("#lost").is_visible()
            os.kill(desk.process.pid, signal.SIGCONT)
            page.wait_for_function("() => !document.body.classList.contains('lost')", timeout=20000)
            assert not page.locator("#lost").is_visible() and "LINK LOST" not in page.title()


def login(binary, browser):
    """A token opens a session that is as good as the token; what changes something needs our own page's word."""
    with demo(binary) as desk:
        desk.running()
        token, reader = desk.token("night-shift", "pause", "kill", "resume"), desk.token("screen", "read")
        until("the tokens are read", lambda: desk.ask("GET", "/api/v1/status")[0] == 401)
        with opened(browser, desk.url, allowed=["401", "403"]) as page:
            assert page.url.endswith("/login")
            is_accessible(page, "signing in")
            page.fill("[name=token]", "plm_0123456789ab_" + "0" * 64)
            page.click("button.go")
            assert "no such token" in page.locator(".said").inner_text()
            page.fill("[name=token]", token)
            page.click("button.go")
            page.wait_for_url(desk.url + "/")
            connected(page)
            [cookie] = page.context.cookies()
            assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie
            bare = page.evaluate("""async () => (await fetch('/api/v1/controls/pause', {method: 'POST',
                headers: {'content-type': 'application/json', 'idempotency-key': 'bare'},
                body: '{"reason": "no proof"}'})).status""")
            assert bare == 403, bare
            page.click(".c-pause button")
            shows(page, "PAUSED")
            assert "night-shift" in page.locator(".banner .by").first.inner_text()
            desk.revoke("night-shift")
            page.wait_for_function("() => document.getElementById('lost-why').textContent.includes('signed out')", timeout=9000)
        with opened(browser, desk.url) as page:
            page.fill("[name=token]", reader)
            page.click("button.go")
            page.wait_for_url(desk.url + "/")
            connected(page)
            assert page.locator(".controls .button").count() == 0 and page.locator(".readonly").is_visible()


def phone(binary, browser):
    """On a phone: banner, controls, alerts first; nothing wider than the screen."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url, viewport={"width": 390, "height": 844}, has_touch=True) as page:
            connected(page)
            tops = [page.locator(place).first.bounding_box()["y"] for place in (".banner", ".controls", "#s-alerts", "#s-risk", "#s-positions")]
            assert tops == sorted(tops), tops
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= 390, wide
            small = page.evaluate("""() => [...document.querySelectorAll('.controls button, .controls .button')]
                .filter((one) => one.offsetHeight && one.offsetHeight < 44).map((one) => one.textContent)""")
            assert not small, small


def without_script(binary, browser):
    """Reading and the safe words need no script; kill takes two pages."""
    with demo(binary) as desk:
        desk.running()
        with opened_without_script(browser, desk.url) as page:
            assert "RUNNING" in page.content() and "Distance to limits" in page.content()
            page.click(".c-pause button")
            assert "Paused" in page.content() and desk.state() == "paused"
            page.goto(desk.url)
            page.click(".controls .kill")
            assert "Kill everything" in page.content() and desk.state() == "paused"
            page.click("button.kill")
            assert desk.state() == "halted"
            page.goto(desk.url)
            assert "KILLED" in page.content()


def opened_without_script(browser, url):
    class Plain:
        def __enter__(self):
            self.context = browser.new_context(java_script_enabled=False)
            page = self.context.new_page()
            page.goto(url)
            return page

        def __exit__(self, *_):
            self.context.close()

    return Plain()


def hostile_words(binary, browser):
    """What people and programs write is text, in the banner, the line of time and the dialogs."""
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            assert desk.steer("pause", HOSTILE)[0] == 200
            shows(page, "PAUSED")
            page.wait_for_function("(text) => document.querySelector('.banner .why').textContent.includes(text)", arg="<img src=x")
            page.wait_for_function("() => document.querySelector('.timeline').textContent.includes('<img src=x')")
            assert page.locator("img").count() == 0
            assert page.evaluate("() => window.pwned") is None
        with opened(browser, desk.url) as page:
            connected(page)
            assert page.evaluate("() => window.pwned") is None and page.locator("img").count() == 0


def feed_outage(binary, browser):
    """A feed that only pings: the source goes stale, an alert stands, and after healing both are over."""
    with Venue(binary) as venue, trading(binary, venue.url) as desk:
        desk.running()
        with opened(browser, desk.url) as page:
            connected(page)
            fault = venue.ask("POST", "/paper/v1/faults", {"kind": "stale_but_pinging"})
            assert fault[0] in (200, 201), fault
            page.wait_for_function("() => document.querySelector('.source[data-source^=\"market/\"]').classList.contains('stale')", timeout=30000)
            page.wait_for_function("() => document.querySelector('#s-positions').classList.contains('is-stale')", timeout=5000)
            assert banner(page) != "RUNNING"
            page.wait_for_selector(".alert", timeout=30000)
            venue.ask("DELETE", "/paper/v1/faults")
            page.wait_for_function("() => !document.querySelector('.source[data-source^=\"market/\"]').classList.contains('stale')", timeout=30000)
            page.wait_for_function("() => !document.querySelector('.alert')", timeout=60000)


def a_venue_that_is_away(binary, browser):
    """While the venue cannot be reached, the page says that trading waits, and for what."""
    with trading(binary, "http://127.0.0.1:9") as desk, opened(browser, desk.url) as page:
        connected(page)
        page.wait_for_function("() => /STARTING|RECONCILING/.test(document.querySelector('.banner .word').textContent)", timeout=10000)
        assert page.locator(".banner .closed li").count() > 0


def a_broken_journal(binary, browser):
    """A journal that does not verify halts the desk, and no word on the page lifts that while it is so."""
    folder = tempfile.mkdtemp(prefix="plimsoll-browser-broken-")
    try:
        with demo(binary, data=folder) as desk:
            desk.running()
            until("orders are in the journal", lambda: desk.ask("GET", "/api/v1/orders?state=all")[1]["items"])
        path = os.path.join(folder, "plimsoll.db")
        with open(path, "rb") as file:
            whole = file.read()
        mark = b'"client_order_id":"'
        assert mark in whole
        with open(path, "wb") as file:
            file.write(whole.replace(mark, b'"client_order_ie":"'))
        with demo(binary, data=folder) as desk, opened(browser, desk.url, allowed=["409", "412", "422", "503"]) as page:
            connected(page)
            shows(page, "KILLED", 20)
            assert desk.state() == "halted" and "icon-crit" in page.get_attribute("#icon", "href")
            assert "journal" in page.locator(".banner").inner_text().lower()
            # The cause stands: no reason and no label lifts it.
            page.click(".c-reset")
            page.fill("#d-reset [name=reason]", "let us see")
            page.fill("#d-reset [name=label]", LABEL)
            page.click("#d-reset button.go")
            page.wait_for_function("() => document.querySelector('#d-reset .said').textContent.includes('Refused')")
            assert desk.state() == "halted"
            is_accessible(page, "a journal that does not verify")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def draining(binary, browser):
    """A run that ends waits for a venue that does not answer, and the page says so until the link is gone."""
    with Venue(binary) as venue, trading(binary, venue.url) as desk:
        desk.running()
        until("orders are open", lambda: desk.ask("GET", "/api/v1/orders?state=open")[1]["items"])
        with opened(browser, desk.url, allowed=["ERR_"]) as page:
            connected(page)
            venue.process.send_signal(signal.SIGSTOP)
            desk.process.terminate()
            shows(page, "DRAINING", 10)
            assert page.locator(".c-resume:visible").count() == 0
            venue.process.send_signal(signal.SIGCONT)
            assert desk.process.wait(timeout=60) == 0
            page.wait_for_function("() => document.body.classList.contains('lost')", timeout=6000)


def many(binary, browser):
    """200 instruments, 1,000 orders and 500 alerts, drawn by the real templates: an update costs little."""
    folder = os.environ.get("PLIMSOLL_BROWSER_LOAD")
    if not folder:
        print("    skipped: PLIMSOLL_BROWSER_LOAD is not set")
        return
    full, *changes = open(os.path.join(folder, "changes.jsonl")).read().splitlines()
    with demo(binary) as desk:
        desk.running()
        with opened(browser, desk.url, allowed=["ERR_"]) as page:
            connected(page)
            page.route("**/desk/events", lambda route: route.abort())
            page.reload()
            page.wait_for_function("() => window.plimsoll")
            page.evaluate("(line) => window.plimsoll.apply({...JSON.parse(line), from: undefined})", full)
            # From the words as they came to a page that is laid out again; painting is the compositor's.
            put = """(line) => { const began = performance.now(); window.plimsoll.apply(JSON.parse(line));
                document.body.offsetHeight; return performance.now() - began; }"""
            costs = []
            for line in changes:
                costs.append(page.evaluate(put, line))
                page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            costs.sort()
            assert page.locator("[data-list=orders] tr").count() == 1000
            middle, most = costs[len(costs) // 2], costs[int(len(costs) * 0.95)]
            print(f"    an update takes {middle:.1f} ms in the middle, {most:.1f} ms at p95, until it is laid out")
            idle = os.getloadavg()[0] < (os.cpu_count() or 1)
            assert middle < UPDATE_MS or not idle, costs


CASES = [first_load, pause_and_resume, kill_and_reset, stale_page, keys, link_loss, login, phone, without_script,
         hostile_words, feed_outage, a_venue_that_is_away, a_broken_journal, draining, many]
