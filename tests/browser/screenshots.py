"""Pictures of the main states, from a running demo: screenshots.py BINARY FOLDER."""

import os
import signal
import sys
import time

from playwright.sync_api import sync_playwright

from cases import connected, demo
from desk import CHROMIUM, opened, shows


def main(binary, folder):
    def save(page, name):
        page.wait_for_timeout(1200)
        page.screenshot(path=os.path.join(folder, f"{name}.png"))

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with demo(binary) as desk:
            desk.running()
            time.sleep(20)
            with opened(browser, desk.url, allowed=["ERR_"]) as page:
                connected(page)
                save(page, "running")
                with opened(browser, desk.url, viewport={"width": 390, "height": 844}, has_touch=True) as small:
                    connected(small)
                    save(small, "phone")
                page.keyboard.press("Shift+K")
                save(page, "kill-dialog")
                page.keyboard.press("Escape")
                desk.steer("pause", "news at two")
                shows(page, "PAUSED")
                save(page, "paused")
                desk.steer("kill", "spread exploded, manual stop")
                shows(page, "KILLED")
                save(page, "killed")
                os.kill(desk.process.pid, signal.SIGSTOP)
                page.wait_for_function("() => document.body.classList.contains('lost')")
                save(page, "link-lost")
                os.kill(desk.process.pid, signal.SIGCONT)
        browser.close()


main(*sys.argv[1:3])
