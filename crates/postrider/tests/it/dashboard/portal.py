"""Uses the portal in a real Chromium that keeps no cookie of a frame in another site: python portal.py URL CHROMIUM FOLDER WHAT-IS-KNOWN

Prints what is wrong, a line each, and nothing where all is well.
"""

import json
import sys
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

URL, CHROMIUM, FOLDER = sys.argv[1:4]
KNOWN = json.loads(sys.argv[4])
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--test-third-party-cookie-phaseout",
]
PORTAL = KNOWN["portal"]
PAGES = {
    "overview": "",
    "jobs": "/webhook_jobs",
    "job": f"/webhook_jobs/{KNOWN['job']}",
    "subscriptions": "/webhook_out_subs",
    "subscription": f"/webhook_out_subs/{KNOWN['sub']}",
    "change": f"/webhook_out_subs/{KNOWN['sub']}/edit",
    "explain": "/webhook_out_subs/explain?stage=scheduled",
    "orders": "/orders",
    "order": "/orders/1",
    "no-page": "/users",
}
# The pages themselves are looked at in every way by browse.py.
WAYS = {"phone-light": (390, "light"), "wide-dark": (1440, "dark")}
found = []


def note(place, what):
    found.append(f"{place}: {what}")


def watched(context, place):
    page = context.new_page()
    page.on("dialog", lambda dialog: (note(place, f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: note(place, str(error)))
    page.on("console", lambda message: note(place, message.text) if message.type in ("error", "warning") else None)
    return page


def mend(browser):
    """In a frame of the site that is listed, from the failing subscription to the delivered job."""
    context = browser.new_context()
    page = watched(context, "mend")
    page.goto(f"{KNOWN['listed']}/?{PORTAL}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Bob <i>of</i> Acme")).to_be_visible()
    frame.get_by_role("link", name="Subscriptions").click()
    frame.get_by_role("link", name="CRM").click()
    expect(frame.locator("#failing")).to_contain_text("400")
    frame.get_by_role("link", name="Change", exact=True).click()
    frame.get_by_label("Callback URL").fill(KNOWN["well"])
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("status")).to_contain_text("Saved.")
    expect(frame.get_by_text(KNOWN["well"])).to_be_visible()
    frame.get_by_role("link", name=f"#{KNOWN['job']}").first.click()
    frame.get_by_role("button", name="Send now").click()
    expect(frame.get_by_role("status")).to_contain_text("It is being sent now")
    expect(frame.locator("#verdict")).to_contain_text("Delivered", timeout=30000)
    if FOLDER:
        page.screenshot(path=f"{FOLDER}/portal-framed.png")
    # The only cookie that a frame gets is the sentence about the last form, kept apart for this site.
    names = sorted({cookie["name"] for cookie in context.cookies()})
    if names not in ([], ["postrider_flash"]):
        note("mend", f"there are cookies: {names}")
    context.close()


def look(browser):
    """Every page on its own: sound, accessible, and without a way out."""
    context = browser.new_context()
    for name, path in PAGES.items():
        page = context.new_page()
        place = f"portal-{name}"
        answer = page.goto(PORTAL + path)
        if answer.status != (404 if name == "no-page" else 200):
            note(place, f"answers {answer.status}")
        policy = answer.headers["content-security-policy"]
        if not policy.endswith(f"frame-ancestors {KNOWN['listed']}"):
            note(place, policy)
        ways = page.eval_on_selector_all("a[href], form[action]", "all => all.map(one => one.getAttribute('href') ?? one.getAttribute('action'))")
        for way in ways:
            if not way.startswith(("#", "?")) and not urljoin(URL, way).startswith(PORTAL):
                note(place, f"leads to {way}")
        for way, (pixels, scheme) in WAYS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": pixels, "height": 900})
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if overflow > 0:
                note(f"{place} {way}", f"{overflow} pixels too wide")
            for fault in Axe().run(page).response["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    note(f"{place} {way}", f"{fault['id']}: {json.dumps([node['target'] for node in fault['nodes']][:3])}")
            if FOLDER:
                page.screenshot(path=f"{FOLDER}/{place}-{way}.png", full_page=True)
        page.close()
    context.close()


def refuse(browser):
    context = browser.new_context()
    page = context.new_page()
    for token in KNOWN["refused"]:
        for path in ("", "/webhook_jobs"):
            answer = page.goto(f"{URL}/portal/{token}{path}")
            if answer.status != 401 or "not good any more" not in page.inner_text("h1"):
                note("refuse", f"{token[:12]}… is answered {answer.status}")
    for path in (
        f"/webhook_out_subs/{KNOWN['others']}", "/invitation_email", "/test_receiver", "/notifications", "/sign_in", "/documentation",
        "/../2", "/webhook_jobs/../../2/webhook_jobs", "/%2e%2e/2",
    ):
        # As it is written: a browser would take the dots out.
        answer = context.request.get(PORTAL + path, max_redirects=0)
        if answer.status not in (401, 404):
            note("refuse", f"{path} is answered {answer.status}")
    # The token of a link is no session.
    context.add_cookies([{"name": "postrider_session", "value": PORTAL.rsplit("/", 1)[1], "url": URL}])
    page.goto(f"{URL}/integrations")
    if "/sign_in" not in page.url:
        note("refuse", f"the token of a link is a session: {page.url}")
    # A form of another site, by whoever has come to know the address.
    page.goto(f"{KNOWN['listed']}/?about:blank")
    page.evaluate("""(action) => { const form = document.createElement("form"); form.method = "post"; form.action = action; document.body.append(form); form.submit(); }""", f"{PORTAL}/webhook_out_subs/{KNOWN['sub']}/disable")
    page.wait_for_url(f"{PORTAL}/**")
    if page.inner_text("h1") != "The form was not accepted":
        note("refuse", f"a form of another site is answered: {page.inner_text('h1')}")
    context.close()


def frame(browser):
    """Who may frame what: by whether the browser shows it."""
    cases = [
        (KNOWN["listed"], PORTAL, True),
        (KNOWN["unlisted"], PORTAL, False),
        (KNOWN["listed"], f"{URL}/sign_in", False),
        (KNOWN["listed"], f"{URL}/documentation", False),
        (KNOWN["listed"], f"{URL}/portal/prp_", True),
        (KNOWN["unlisted"], f"{URL}/portal/prp_", False),
    ]
    for site, address, is_shown in cases:
        context = browser.new_context()
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{site}/?{address}")
        page.wait_for_load_state("load")
        shown = page.frames[1].url == address
        if shown != is_shown or is_shown == any("frame-ancestors" in text for text in said):
            note("frame", f"{address[:60]} in {site}: shown {shown}, {said}")
        context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    for part in (look, frame, refuse, mend):
        try:
            part(browser)
        except Exception as error:
            note(part.__name__, str(error))
    browser.close()
print("\n".join(found))
sys.exit(1 if found else 0)
