"""Reads the reference in a real Chromium: python browse.py URL CHROMIUM FOLDER-FOR-PICTURES

Prints what is wrong, a line each, and nothing where all is well.
"""

import json
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

URL, CHROMIUM, FOLDER = sys.argv[1:4]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
PAGES = {
    "index": "/documentation",
    "create": "/documentation/api/v1/webhook_out_subs/create",
    "sensitive": "/documentation/api/v1/sessions/create",
    "jobs": "/documentation/api/v1/webhook_jobs/index",
    "words": "/documentation/list_items/order_status",
    "lost": "/documentation/api/v1/nothing/here",
    "sign_in": "/sign_in?link_token=prl_abc",
    "register": "/register",
}
WIDTHS = {"phone": 375, "wide": 1440}
# Where the parameter stands once it has been in view, or after ten seconds.
STOPPED = """new Promise((resolve) => {
  const end = performance.now() + 10000;
  const look = () => {
    const top = document.getElementById("param-callback_url").getBoundingClientRect().top;
    if ((top >= 0 && top <= 600) || performance.now() > end) resolve(top);
    else requestAnimationFrame(look);
  };
  look();
})"""
found = []


def note(place, what):
    found.append(f"{place}: {what}")


def open_page(browser, width, scheme, name):
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    place = f"{name} {width} {scheme}"
    page.on("console", lambda message: note(place, message.text) if message.type in ("error", "warning") and name != "lost" else None)
    page.on("pageerror", lambda error: note(place, str(error)))
    page.on("request", lambda request: None if request.url.startswith((URL, "data:")) else note(place, f"asks for {request.url}"))
    page.goto(URL + PAGES[name])
    return page, place


def look(browser):
    for name in PAGES:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                # Each page in both widths and both themes, and the longest in all four pairs of them.
                if name != "create" and (width == "phone") == (scheme == "dark"):
                    continue
                page, place = open_page(browser, width, scheme, name)
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if overflow > 0:
                    note(place, f"{overflow} pixels too wide")
                for fault in Axe().run(page).response["violations"]:
                    nodes = [node["target"] for node in fault["nodes"]][:3]
                    if fault["impact"] in ("serious", "critical"):
                        note(place, f"{fault['id']}: {json.dumps(nodes)}")
                page.screenshot(path=f"{FOLDER}/{name}-{width}-{scheme}.png")
                page.context.close()


def use(browser):
    page, place = open_page(browser, "wide", "light", "index")
    page.keyboard.press("/")
    page.keyboard.type("callback_url create")
    shown = page.locator("[data-words]:visible")
    if not 1 <= shown.count() < 5:
        note(place, f"the search finds {shown.count()}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documentation/api/v1/**")
    if "webhook_out_subs/create" not in page.url:
        note(place, f"the search leads to {page.url}")
    page.locator("[data-copy=code-path]").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    if copied != "/api/v1/webhook_out_subs/create":
        note(place, f"copied {copied!r}")
    page.goto(URL + PAGES["create"] + "#param-callback_url")
    # Scrolling is smooth: it takes its time.
    top = page.evaluate(STOPPED)
    if not 0 <= top <= 600:
        note(place, f"the deep link stops at {top}")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(2):
        page.locator("button.theme").click()
    page.reload()
    if page.evaluate("getComputedStyle(document.body).backgroundColor") == before:
        note(place, "the chosen theme does not last")
    page.context.close()
    # Everything can be read without scripts.
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(URL + PAGES["index"])
    if page.locator("a[href='/documentation/api/v1/webhook_out_subs/create'] >> visible=true").count() == 0:
        note("index", "without scripts no link is seen")
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    look(browser)
    use(browser)
    browser.close()
print("\n".join(found))
sys.exit(1 if found else 0)
