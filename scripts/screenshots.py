"""The pictures of the dashboard: screenshots.py BINARY [FOLDER]; see scripts/screenshots."""

import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

BINARY = Path(sys.argv[1]).resolve()
FOLDER = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
CHROMIUM = "/usr/bin/chromium"
README = Path("docs/pictures")
# How long anything may take, in seconds.
PATIENCE = 60

STREETS = ["Elm St", "Oak Ave", "Maple Dr", "Cedar Ln", "Pine St", "Walnut Ct", "Birch Rd", "Aspen Way"]
CITIES = [("Denver", "CO", "80202"), ("Boulder", "CO", "80301"), ("Austin", "TX", "78701"), ("Portland", "OR", "97201")]
LIFE = ["scheduled", "on_site", "post_processing", "completed"]
SUBS = [
    # Key, name, path, what it wants, and what its receiver answers.
    ("crm", "Acme CRM", "/crm", ["scheduled", "completed"], ["order.delivered"]),
    ("mls-feed", "MLS feed", "/mls", ["completed"], ["order.delivered"]),
    ("billing", "Billing", "/billing", ["completed", "canceled"], []),
    ("sms", "Text messages", "/sms", ["scheduled", "on_site"], ["appointment.scheduled"]),
    ("old-site", "Old website", "/old", ["scheduled"], []),
]
ANSWERS = {
    "/crm": (200, "application/json", '{"taken": true}'),
    "/mls": (200, "application/json", '{"listing": "queued"}'),
    "/billing": (503, "application/json", '{"error": {"code": "maintenance", "message": "The ledger is closed until 14:00."}}'),
    "/sms": (200, "text/plain", "ok"),
    "/old": (410, "text/plain", "This hook is gone."),
}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        status, content_type, body = ANSWERS[self.path]
        # One payload that the CRM cannot read.
        if self.path == "/crm" and self.headers["postrider-order-id"] == "7":
            status, body = 422, '{"error": "unknown agent", "field": "client.email"}'
        time.sleep(random.uniform(0.01, 0.06))
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


class Server:
    def __init__(self, folder):
        made = subprocess.run([BINARY, "application", "create", "--data", "data", "--slug", "order-feed", "--json"], cwd=folder, capture_output=True, check=True)
        self.token = json.loads(made.stdout)["token"]
        flags = ["--data", "data", "--listen", "127.0.0.1:0", "--egress-allow", "127.0.0.0/8", "--log", "warn", "--frame-ancestors", "http://localhost"]
        self.process = subprocess.Popen([BINARY, "serve", *flags], cwd=folder, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"(http://\S+)(/first_run\?token=\S+)", line):
                self.url, self.first_run = found.groups()
                break

    def call(self, route, **parameters):
        body = json.dumps({"token": self.token, **parameters}).encode()
        method = "PUT" if route.endswith("/update") else "POST"
        request = urllib.request.Request(f"{self.url}/api/v1/{route}", body, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]


def wait_for(what, look):
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.2)
    return found


def work(server, receiver):
    """A morning's work, delivered as far as it can be. What the pictures need to know of it."""
    random.seed(7)
    acme = server.call("integrations/create", key="acme-homes", name="Acme Homes")["id"]
    server.call("integrations/create", key="northside", name="Northside Realty")
    subs = {}
    for key, name, path, statuses, events in SUBS:
        subs[key] = server.call(
            "webhook_out_subs/create", integration_id=acme, key=key, name=name, version="v3", statuses=statuses, events=events,
            callback_url=f"{receiver}{path}", retry_policy={"schedule": ["1s", "2s", "10m"], "give_up_after": "1d"},
        )["id"]
    for number in range(1, 41):
        city, state, postal_code = random.choice(CITIES)
        address = {"street": f"{random.randint(10, 990)} {random.choice(STREETS)}", "city": city, "state": state, "postal_code": postal_code}
        client = {"first_name": random.choice(["Ana", "Ben", "Chloe", "Dan"]), "last_name": random.choice(["Reyes", "Okafor", "Lind", "Shah"])}
        for step in LIFE[: random.randint(1, len(LIFE))]:
            event = {"scheduled": "appointment.scheduled", "completed": "order.delivered"}.get(step)
            change = {"order": {"address": address, "client": client}} if step == "scheduled" else {}
            server.call("order_stages/create", integration_id=acme, external_order_id=f"AH-{2200 + number}", stage=step, create_order=True,
                        **({"event_slug": event} if event else {}), **change)
    jobs = lambda **filters: server.call("webhook_jobs/index", integration_id=acme, filters=filters)
    wait_for("the jobs", lambda: not jobs(state=["pending", "delivering"], subscribers=["crm", "sms", "mls-feed"]))
    failed = wait_for("a failure", lambda: [job for job in jobs(state=["retrying"], subscribers=["billing"]) if job["attempt_count"] >= 2])
    delivered = jobs(state=["delivered"], subscribers=["crm"])
    return {"root": f"/integrations/{acme}", "acme": acme, "subs": subs, "failed": failed[0]["id"], "delivered": delivered[0]["id"]}


def begin(page, server):
    """The first employee."""
    page.goto(server.url + server.first_run)
    page.get_by_label("E-mail").fill("mara@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_label("Name").fill("Mara")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/integrations/new")


def pages(known, portal):
    root, subs = known["root"], known["subs"]
    crm, billing, old = (f"{root}/webhook_out_subs/{subs[key]}" for key in ("crm", "billing", "old-site"))
    return {
        "overview": root, "jobs": f"{root}/webhook_jobs", "job-failed": f"{root}/webhook_jobs/{known['failed']}",
        "job-delivered": f"{root}/webhook_jobs/{known['delivered']}", "retry-many": f"{root}/webhook_jobs/retry_many?state=retrying",
        "orders": f"{root}/orders", "order": f"{root}/orders/1", "subscriptions": f"{root}/webhook_out_subs",
        "subscription": crm, "subscription-failing": billing, "subscription-gone": old, "subscription-new": f"{root}/webhook_out_subs/new",
        "subscription-change": f"{crm}/edit", "secret": f"{crm}/secret", "rotate-secret": f"{crm}/rotate_secret", "switch-on": f"{old}/enable",
        "delete": f"{crm}/delete", "explain": f"{root}/webhook_out_subs/explain?stage=completed&event_slug=order.delivered",
        "test-receiver": f"{root}/test_receiver", "invite": f"{root}/invitation_email", "integrations": "/integrations",
        "integration-new": "/integrations/new", "account": "/account", "users": "/users", "user-new": "/users/new", "user": "/users/1",
        "applications": "/applications", "application-new": "/applications/new", "application": "/applications/1",
        "list-items": "/list_items/order_status", "list-item-new": "/list_items/order_event/new", "list-item": "/list_items/order_status/1",
        "notifications": "/notifications", "audit-events": "/audit_events", "services": "/services", "routes": "/routes",
        "sign-in": "/sign_in", "register": "/register", "reference": "/documentation", "not-found": "/nowhere",
        "portal": portal, "portal-subscription": f"{portal}/webhook_out_subs/{subs['billing']}", "portal-over": "/portal/prp_",
    }


def show(page, server, path):
    if path.endswith("/secret"):
        page.goto(server.url + path.removesuffix("/secret"))
        page.get_by_role("button", name="Show the secret").click()
    else:
        page.goto(server.url + path)


def take_all(page, server, known):
    link = server.call("integrations/portal_link", id=known["acme"], subject="Bob of Acme Homes")["url"]
    page.goto(f"{server.url}{known['root']}/test_receiver")
    page.get_by_role("button", name="Make a test receiver").click()
    page.get_by_role("button", name="Report a sample order").click()
    page.get_by_text("signature verified").first.wait_for()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, path in pages(known, link.removeprefix(server.url)).items():
        show(page, server, path)
        for width, pixels in (("phone", 390), ("wide", 1440)):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": pixels, "height": 900})
                page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=True)


def take_those_of_the_readme(page, server, known):
    README.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    for name, path in (("overview", known["root"]), ("job", f"{known['root']}/webhook_jobs/{known['failed']}")):
        page.goto(server.url + path)
        page.screenshot(path=README / f"{name}.png")


def main():
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(folder)
        try:
            known = work(server, f"http://127.0.0.1:{receiver.server_port}")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(color_scheme="light", reduced_motion="reduce")
            begin(page, server)
            if FOLDER:
                take_all(page, server, known)
            else:
                take_those_of_the_readme(page, server, known)
            browser.close()
        finally:
            server.process.terminate()
            server.process.wait()


main()
