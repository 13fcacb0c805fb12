"""Runs every case, or those named after the binary: main.py BINARY [CASE...]. Ends with 1 when one failed."""

import sys
import time
import traceback

from playwright.sync_api import sync_playwright

import cases
from desk import CHROMIUM


def main(binary, *names):
    if not CHROMIUM:
        raise SystemExit("no chromium on this machine: apt-get install chromium")
    wanted = [case for case in cases.CASES if not names or case.__name__ in names]
    failed = []
    with sync_playwright() as driver:
        # The sandbox needs a user namespace, which root in a container does not get.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for case in wanted:
            began = time.monotonic()
            try:
                case(binary, browser)
                print(f"ok    {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:
                failed.append(case.__name__)
                print(f"FAIL  {case.__name__}\n{traceback.format_exc()}", flush=True)
        browser.close()
    print(f"{len(wanted) - len(failed)} of {len(wanted)} passed")
    raise SystemExit(1 if failed else 0)


main(*sys.argv[1:])
