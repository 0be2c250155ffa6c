"""The headless browser that opens pages, where there is one, without a network."""

import shutil

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # no name can be looked up: a page has to do without a network
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
