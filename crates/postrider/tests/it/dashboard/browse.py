"""Uses the dashboard in a real Chromium: python browse.py URL CHROMIUM FOLDER-FOR-PICTURES WHAT-IS-KNOWN

Prints what is wrong, a line each, and nothing where all is well.
"""

import json
import re
import sys
from urllib.parse import quote

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

URL, CHROMIUM, FOLDER = sys.argv[1:4]
KNOWN = json.loads(sys.argv[4])
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
ROOT = f"/integrations/{KNOWN['integration']}"
JOB = f"{ROOT}/webhook_jobs/{KNOWN['failed_job']}"
# Every page of somebody who is signed in.
PAGES = {
    "overview": ROOT,
    "integrations": "/integrations",
    "new-integration": "/integrations/new",
    "jobs": f"{ROOT}/webhook_jobs",
    "jobs-filtered": f"{ROOT}/webhook_jobs?state=retrying&subscribers=ill&q=A-1",
    "job": JOB,
    "job-view-failed": f"{ROOT}/webhook_jobs/{KNOWN['odd_job']}",
    "retry-many": f"{ROOT}/webhook_jobs/retry_many?state=retrying",
    "test-receiver": f"{ROOT}/test_receiver",
    "subscriptions": f"{ROOT}/webhook_out_subs",
    "subscription": f"{ROOT}/webhook_out_subs/1",
    "subscription-with-view": f"{ROOT}/webhook_out_subs/3",
    "subscription-failing": f"{ROOT}/webhook_out_subs/2",
    "new-subscription": f"{ROOT}/webhook_out_subs/new",
    "change-subscription": f"{ROOT}/webhook_out_subs/2/edit",
    "rotate-secret": f"{ROOT}/webhook_out_subs/1/rotate_secret",
    "switch-on": f"{ROOT}/webhook_out_subs/1/enable",
    "delete-subscription": f"{ROOT}/webhook_out_subs/1/delete",
    "explain": f"{ROOT}/webhook_out_subs/explain?stage=scheduled",
    "invite": f"{ROOT}/invitation_email",
    "users": "/users",
    "new-user": "/users/new",
    "user": "/users/1",
    "account": "/account",
    "applications": "/applications",
    "new-application": "/applications/new",
    "application": "/applications/1",
    "list-items": "/list_items/order_status",
    "new-list-item": "/list_items/order_event/new",
    "list-item": "/list_items/order_status/1",
    "events": "/list_items/order_event?q=order.hostile",
    "notifications": "/notifications",
    "audit-events": "/audit_events",
    "services": "/services",
    "routes": "/routes",
    "orders": f"{ROOT}/orders",
    "order": f"{ROOT}/orders/1",
}
OUTSIDE = {"sign_in": "/sign_in", "link": "/sign_in?link_token=prl_abc", "register-page": "/register"}
WIDTHS = {"phone": 390, "wide": 1440}
# Each width and each scheme once: axe takes seconds.
JUDGED = (("phone", "light"), ("wide", "dark"))
# Whatever a policy stopped is said aloud, by pages that have errors of their own too.
REPORT = "document.addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"
found = []


def note(place, what):
    found.append(f"{place}: {what}")


def watched(context, place, may_fail=False):
    """A page whose complaints are noted: errors of the console (refusals by the policy are among them), dialogs, foreign requests."""
    page = context.new_page()
    page.add_init_script(REPORT)
    page.on("dialog", lambda dialog: (note(place, f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: note(place, str(error)))
    page.on("request", lambda request: None if request.url.startswith((URL, "data:")) else note(place, f"asks for {request.url}"))
    def said(message):
        if message.type in ("error", "warning") and (not may_fail or "olicy" in message.text):
            note(place, message.text)
    page.on("console", said)
    return page


def sign_in(context):
    page = watched(context, "sign in")
    page.goto(f"{URL}/sign_in?link_token={KNOWN['link_token']}")
    page.get_by_label("Remember me").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{URL}/integrations**")
    page.close()


def look(context, pages):
    for name, path in pages.items():
        page = watched(context, name)
        page.goto(URL + path)
        for width, pixels in WIDTHS.items():
            for scheme in ("light", "dark"):
                place = f"{name} {width} {scheme}"
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": pixels, "height": 900})
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if overflow > 0:
                    note(place, f"{overflow} pixels too wide")
                if (width, scheme) in JUDGED:
                    for fault in Axe().run(page).response["violations"]:
                        if fault["impact"] in ("serious", "critical"):
                            note(place, f"{fault['id']}: {json.dumps([node['target'] for node in fault['nodes']][:3])}")
                if FOLDER:
                    page.screenshot(path=f"{FOLDER}/{name}-{width}-{scheme}.png", full_page=True)
        page.close()


def mend(context):
    """From an order's id to a delivered job."""
    page = watched(context, "mend")
    page.goto(f"{URL}{ROOT}/webhook_jobs")
    page.get_by_placeholder("Search").fill("A-1")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=f"#{KNOWN['failed_job']}").click()
    expect(page.locator("#verdict")).to_contain_text("failed")
    expect(page.locator("#attempts")).to_contain_text("400")
    # Each retry is sent at once; the receiver is well again at the fourth request.
    for _ in range(3):
        attempts = page.locator("details.attempt").count()
        page.get_by_role("button", name="Send now").click()
        expect(page.get_by_role("status")).to_contain_text("It is being sent now")
        # Without loading the page again: it keeps itself up to date.
        expect(page.locator("details.attempt")).to_have_count(attempts + 1, timeout=30000)
    expect(page.locator("#verdict")).to_contain_text("Delivered", timeout=30000)
    expect(page.get_by_role("button", name="Send again")).to_be_visible(timeout=30000)
    page.close()


def reflect(context):
    """What an address or a form says comes back as it is, and never runs."""
    page = watched(context, "reflect", may_fail=True)
    hostile = quote(KNOWN["hostile"])
    for path in (
        f"{ROOT}/webhook_jobs?q={hostile}", f"{ROOT}/webhook_jobs?state={hostile}", f"{ROOT}/webhook_jobs?subscribers={hostile}",
        f"{ROOT}/webhook_jobs?after={hostile}", f"{ROOT}/webhook_out_subs/explain?stage={hostile}", f"{ROOT}/orders?q={hostile}",
        f"{ROOT}/webhook_jobs/retry_many?endpoint={hostile}", f"/users?q={hostile}", f"/list_items/{hostile}", f"/{hostile}",
        f"/sign_in?next={hostile}", f"/sign_in?link_token={hostile}", f"/first_run?token={hostile}", f"/portal/{hostile}",
        f"/documentation/{hostile}", f"{ROOT}/webhook_jobs/{hostile}", f"/audit_events?noun={hostile}",
    ):
        answer = page.goto(URL + path)
        if answer.status >= 500:
            note("reflect", f"{path} is answered {answer.status}")
        if page.locator("img, script:not([src])").count():
            note("reflect", f"{path} has markup that is not ours")
    for path, fields, button in (
        (f"{ROOT}/webhook_out_subs/new", ("Key", "Name", "Callback URL", "Filter"), "Create"),
        (f"{ROOT}/invitation_email", ("E-mail",), "Invite"),
        ("/integrations/new", ("Name", "Key"), "Create"),
        ("/applications/new", ("Slug",), "Create"),
        ("/users/new", ("E-mail", "Name"), "Create"),
    ):
        page.goto(URL + path)
        # The browser's own look at e-mails would keep the form back.
        page.evaluate("document.querySelector('main form').noValidate = true")
        for field in fields:
            page.locator("main form").get_by_label(field).first.fill(KNOWN["hostile"])
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("alert")).to_be_visible()
        if page.locator("img, script:not([src])").count():
            note("reflect", f"the form of {path} has markup that is not ours")
    page.close()


def overview(context, act):
    """The figures of the overview while something is done, on one page that is never loaded again."""
    page = watched(context, "figures")
    page.goto(f"{URL}{ROOT}?span=hour")
    figures = page.locator("#figures strong")
    picture = page.get_by_role("img").first
    readout = page.locator(".readout").first

    def shows(delivered, failed):
        expect(figures.nth(0)).to_have_text(str(delivered), timeout=30000)
        expect(figures.nth(1)).to_have_text(str(failed), timeout=30000)
        expect(picture).to_have_attribute("aria-label", re.compile(f"hour: {delivered} delivered, {failed} failed attempts"))
        counted = page.locator(".numbers tbody tr").evaluate_all(
            "rows => rows.map(row => [row.cells[1], row.cells[2]].map(cell => Number(cell.textContent)))")
        sums = [sum(column) for column in zip(*counted)]
        if len(counted) != 60 or sums != [delivered, failed]:
            note("figures", f"{len(counted)} periods hold {sums}, and not {[delivered, failed]}")

    # The subscription that is well, and the one with a view that fails; the third one refuses.
    shows(2, 1)
    expect(page.locator("#figures .oldest")).to_contain_text(f"#{KNOWN['failed_job']}")
    act()
    shows(3, 3)
    expect(page.locator("#figures .oldest")).to_have_count(0, timeout=30000)
    page.locator(".numbers summary").click()
    for fault in Axe().run(page).response["violations"]:
        if fault["impact"] in ("serious", "critical"):
            note("figures", f"{fault['id']}: {json.dumps([node['target'] for node in fault['nodes']][:3])}")
    # By the keyboard alone: the plot is reached, and its periods are told one by one.
    picture.focus()
    told = []
    for key in ("Home", "End", *["ArrowLeft"] * 59):
        page.keyboard.press(key)
        told.append(readout.inner_text())
    if told[-1] != told[0] or len(set(told)) != 60:
        note("figures", f"the arrow keys tell {len(set(told))} periods: {told[:3]}")
    numbers = [re.search(r": (\d+) delivered, (\d+) failed", text) for text in told[1:]]
    if [sum(int(one[column]) for one in numbers if one) for column in (1, 2)] != [3, 3]:
        note("figures", f"the arrow keys tell {told}")
    page.close()


def guard(browser):
    """Forms of other sites, and pages out of reach."""
    context = browser.new_context()
    page = watched(context, "guard", may_fail=True)
    if (answer := page.goto(URL + JOB)) is None or "/sign_in?next=" not in page.url:
        note("guard", f"without a session {JOB} leads to {page.url} ({answer and answer.status})")
    page.get_by_label("E-mail").first.fill("partner@example.com")
    page.get_by_label("Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(URL + JOB)
    expect(page.get_by_role("heading", level=1)).to_contain_text("There is no page")
    for path in PAGES.values():
        if path.startswith(ROOT) and page.goto(URL + path).status != 404:
            note("guard", f"a stranger sees {path}")
    if page.goto(f"{URL}/integrations/new").status != 403:
        note("guard", "a client may see the form of a new integration")
    page.goto(f"{URL}/integrations/{KNOWN['other']}")
    refused = page.evaluate("""fetch("/sign_out", { method: "POST", body: new URLSearchParams({ csrf_token: "x" }) }).then((answer) => answer.status)""")
    if refused != 403:
        note("guard", f"a form without its token is answered {refused}")
    page.locator("details.account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{URL}/sign_in")
    page.goto(f"{URL}/integrations/{KNOWN['other']}")
    if "/sign_in" not in page.url:
        note("guard", "somebody who signed out is still in")
    context.close()


def without_scripts(browser, state):
    context = browser.new_context(java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto(URL + PAGES["jobs"])
    page.get_by_role("link", name=f"#{KNOWN['failed_job']}").first.click()
    expect(page.locator("#verdict time").first).to_contain_text("UTC")
    context.close()


def use(browser):
    outside = browser.new_context()
    look(outside, OUTSIDE)
    outside.close()
    context = browser.new_context()
    sign_in(context)
    look(context, PAGES)
    overview(context, lambda: mend(context))
    reflect(context)
    without_scripts(browser, context.storage_state())
    guard(browser)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    try:
        use(browser)
    except Exception as error:
        note("the browser", str(error))
    browser.close()
print("\n".join(found))
sys.exit(1 if found else 0)
