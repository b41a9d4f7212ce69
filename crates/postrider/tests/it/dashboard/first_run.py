"""The first run in a real Chromium: python first_run.py URL CHROMIUM FOLDER-FOR-PICTURES WHAT-IS-KNOWN"""

import json
import sys

from playwright.sync_api import expect, sync_playwright

URL, CHROMIUM, FOLDER = sys.argv[1:4]
LINK = json.loads(sys.argv[4])["link"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(URL)
    expect(page).to_have_url(f"{URL}/sign_in")
    # A link that is almost right makes nobody.
    assert page.goto(LINK[:-1] + ("A" if LINK[-1] != "A" else "B")).status == 404
    assert page.goto(LINK).status == 200
    if FOLDER:
        page.screenshot(path=f"{FOLDER}/first-run.png")
    page.get_by_label("E-mail").fill("ann@example.com")
    page.get_by_label("Password").fill("short")
    page.get_by_label("Name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    # In the words of the API, below the field.
    expect(page.locator("#field-password-fault")).to_contain_text("8")
    expect(page.get_by_label("E-mail")).to_have_value("ann@example.com")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Begin").click()
    expect(page).to_have_url(f"{URL}/integrations/new")
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Key").fill("acme")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_contain_text("was made")
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme")
    # The first delivery, inside the server; the page shows it by itself.
    page.get_by_role("link", name="Test receiver").click()
    page.get_by_role("button", name="Make a test receiver").click()
    expect(page.locator("#received")).to_contain_text("Nothing yet")
    page.get_by_role("button", name="Report a sample order").click()
    expect(page.locator("#received")).to_contain_text("signature verified", timeout=30000)
    expect(page.locator("#received")).to_contain_text("12 Elm St")
    if FOLDER:
        page.screenshot(path=f"{FOLDER}/test-receiver.png", full_page=True)
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator("#jobs")).to_contain_text("delivered", timeout=30000)
    # Good once.
    assert page.goto(LINK).status == 404
    # The password is theirs.
    page.goto(URL)
    page.locator("details.account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").first.fill("ann@example.com")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme")
    assert not faults, faults
    browser.close()
