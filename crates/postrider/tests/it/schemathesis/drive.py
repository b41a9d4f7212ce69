"""Hooks and checks for `schemathesis`: one run is one caller, told by the JSON file that POSTRIDER_FUZZ_RUN names.

The document is changed in one place only: what a sensitive route takes is described without its base64, which the
serializer below adds again, so that its parameters are really varied.
"""

import atexit
import base64
import json
import os
import re
import sys
import urllib.request
import zlib

import schemathesis

with open(os.environ["POSTRIDER_FUZZ_RUN"]) as file:
    RUN = json.load(file)

PREFIX = "/api/v1/"
# What `check` of the contract's declarations says: valid data never hears it, or the document promises too much.
OFF_THE_SCHEMA = re.compile(
    r"^(must be (a string|an integer|a number|a boolean|an object|an array|one of)|must have \d|unknown parameter)"
)
# What even a liaison may use: reading, what concerns their own session, and sending again.
READING = re.compile(r"(/(index|show|preview|explain)$)|^(sessions|clients)/|^users/update$|^webhook_jobs/retry$")
# What users without a role may use.
ROLE_LESS = re.compile(r"^(sessions|clients)/|^users/(show|update|client_register)$")
# Values that have a chance where random text has none; references are to records of the run.
LIKELY = {
    "integration_id": [RUN["mine"], RUN["mine"], RUN["mine"], RUN["theirs"]],
    "id": [1, 1, 1, 1, 1, 1, *range(2, 13)],
    "order_id": list(range(1, 9)),
    "order_stage_id": list(range(1, 9)),
    # Nobody but the run's own receiver is ever called.
    "callback_url": [RUN["receiver"], RUN["receiver"] + "/other"],
    "key": ["alpha", "beta", "gamma", "delta"],
    "slug": ["alpha", "beta", "scheduled"],
    "external_order_id": ["order-1", "order-2", "order-3"],
    "stage": ["scheduled", "completed", "new_request"],
    "status": ["new_request", "scheduled"],
    "event_slug": ["appointment_confirmed", "scheduled"],
    "statuses": [["*"], ["scheduled", "completed"], []],
    "events": [["*"], []],
    "notification_emails": ["ann@example.com", "ann@example.com,bob@example.com"],
    "email": ["ann@example.com", "bob@example.com", "carl@example.com"],
    "success_code": ["2xx", "200,204", "201"],
    "payload_render_view": ["order_v2", "order_v3"],
    "template": ['{"id": {{ order.id }}}', "{% for x in order %}{{ x }}{% endfor %}", "{{ missing.below }}"],
    "signing_secret": ["whsec_" + base64.b64encode(bytes(range(32))).decode()],
    "idempotency_key": ["once"],
    "scoped_integrations": [[], [RUN["mine"]], [RUN["theirs"]]],
    "revision": [1, 2],
    "metadata": [{"a_1": "one"}, {}],
    "stage_at": ["2026-01-31T16:20:00Z"],
}
# The longest idempotency key.
KEY_CHARS_MAX = 255
# Of so many, one value stays as it was generated.
KEPT_OF = 4


def action(case):
    return case.path.removeprefix(PREFIX)


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def chance(body, salt):
    """A number that depends on the body alone, so that a run can be repeated and a failure made smaller."""
    return zlib.crc32(json.dumps([body, salt], sort_keys=True).encode())


def call(name, parameters, token):
    """A request beside the run, with an address of its own, which no throttle knows yet."""
    text = json.dumps(parameters)
    sensitive = name == "clients/register"
    request = urllib.request.Request(
        RUN["url"] + PREFIX + name,
        method="POST",
        data=base64.b64encode(text.encode()) if sensitive else text.encode(),
        headers={
            "Content-Type": "text/plain" if sensitive else "application/json",
            "X-Forwarded-For": forwarded_for(),
            **({} if sensitive else {"Authorization": f"Bearer {token}"}),
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]


def forwarded_for():
    forwarded_for.count += 1
    high, low = divmod(forwarded_for.count, 250)
    return f"10.{RUN['number']}.{high % 250}.{low + 1}"


forwarded_for.count = 0


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            media = operation["requestBody"]["content"].get("text/plain")
            if media:
                media["schema"] = media["schema"]["contentSchema"]
                media["example"] = json.loads(base64.b64decode(media["example"]))


@schemathesis.serializer("text/plain")
def sensitive(context, value):
    return base64.b64encode(json.dumps(value).encode())


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = dict(case.headers or {})
    case.headers["X-Forwarded-For"] = forwarded_for()
    token = RUN["token"]
    if action(case) == "sessions/delete" and RUN["kind"] != "application":
        # It ends the session that it is called with: not the run's.
        email = f"gone-{RUN['number']}-{forwarded_for.count}@example.com"
        new = {"email": email, "password": "correct horse battery staple", "name": "Gone"}
        token = call("clients/register", new, "")["session"]["token"]
    case.headers["Authorization"] = f"Bearer {token}"
    body = case.body
    if not isinstance(body, dict):
        return
    # What stands in the body counts before the header, and mostly would be no token.
    if isinstance(body.get("token"), str) and chance(body["token"], "token") % KEPT_OF:
        del body["token"]
    if is_positive(case):
        body = case.body = strict(body)
        make_likely(body, LIKELY)
        for stage in body.get("stages") or []:
            make_likely(stage, LIKELY)
    else:
        make_likely(body, [name for name in ("integration_id", "id") if type(body.get(name)) is int])
    if action(case).startswith("list_items/") and is_positive(case) and "key" in body:
        body["key"] = "order_status"
    protect(action(case), body)


def strict(value):
    """Whole numbers without a fraction: JSON Schema takes 7.0 for an integer, the contract does not."""
    if isinstance(value, dict):
        return {name: strict(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [strict(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def make_likely(body, names):
    for name in sorted(body if isinstance(body, dict) else {}):
        roll = chance(body[name], name)
        if name in names and (roll % KEPT_OF or name == "callback_url"):
            body[name] = LIKELY[name][roll // KEPT_OF % len(LIKELY[name])]


def protect(name, body):
    """The run goes on only while its routes, its applications and its users are as they were."""
    if name in ("routes/update", "services/update") and body.get("deployed") is False:
        body["deployed"] = True
    if name in ("applications/update", "applications/rotate_token") and is_one_of(body.get("id"), RUN["applications"]):
        body["id"] = RUN["spare_application"]
    if name == "users/roles_update" and is_one_of(body.get("id"), RUN["users"]):
        body["id"] = RUN["spare_user"]


def is_one_of(id, ids):
    # 1.0 and True are equal to 1, and no ids.
    return type(id) is int and id in ids


SUCCEEDED = set()


@atexit.register
def tell():
    print(f"{len(SUCCEEDED)} routes succeeded:", *sorted(SUCCEEDED), file=sys.stderr)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200:
        SUCCEEDED.add(action(case))
    if RUN["kind"] == "role_less" and action(case) == "users/client_register" and response.status_code == 200:
        call("users/roles_update", {"id": RUN["user"], "roles": [], "scoped_integrations": []}, RUN["operator"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """What the fuzzer takes for accepted though invalid, and the contract accepts."""
    if type(failure).__name__ != "AcceptedNegativeData":
        return True
    # A body of `null` is an empty one, and beside a token in the header it may be that; a test of ours says so.
    if case.body is None:
        return False
    # The parameter counts before the header, which is then nobody's.
    if case.body.get("idempotency_key") and not 1 <= len(case.headers.get("Idempotency-Key", "?")) <= KEY_CHARS_MAX:
        return False
    # Each stage of many has a receipt of its own, and may be refused in it.
    receipts = answer(response)["data"] if action(case) == "order_stages/create_many" else []
    return all(receipt.get("status") not in ("invalid-param", "missing-param") for receipt in receipts)


def answer(response):
    return json.loads(response.content)


def own_token(case):
    """Whether the body has a token; the fuzzer takes some from answers, such as that of clients/register."""
    return isinstance(case.body, dict) and case.body.get("token") is not None


@schemathesis.check
def valid_data_is_refused_for_what_no_schema_says_only(ctx, response, case):
    """In place of `positive_data_acceptance`: references, uniqueness and syntax are invalid-param too."""
    if not is_positive(case) or own_token(case) or response.status_code != 400:
        return
    body = answer(response)
    # JSON has numbers that no 64 bits hold; the reference says that they are not taken.
    if "number out of range" in body["message"]:
        return
    assert body["status"] in ("invalid-param", "missing-param", "no-params-decoded"), body
    for fault in body["errors"]:
        # The rules of its keys and values are told in words.
        if re.match(r"(order\.|stages\[\d+\]\.order\.)?metadata", fault["attr"]):
            continue
        assert not OFF_THE_SCHEMA.match(fault["message"]), f"the schema allows what is refused: {fault}"


@schemathesis.check
def nothing_of_others_is_answered(ctx, response, case):
    if RUN["narrow"]:
        assert RUN["marker"].encode() not in response.content, "a record of another integration was answered"


@schemathesis.check
def nobody_goes_beyond_their_role(ctx, response, case):
    if own_token(case):
        return
    allowed = {"liaison": READING, "role_less": ROLE_LESS}.get(RUN["kind"])
    if allowed and response.status_code == 200:
        assert allowed.search(action(case)), f"{RUN['kind']} may not use {case.path}"
    if RUN["kind"] == "role_less" and response.status_code == 403:
        assert False, "a user without a role is told so, not forbidden"


@schemathesis.check
def the_token_of_the_run_stays_good(ctx, response, case):
    if response.status_code == 401 and not own_token(case) and action(case) != "sessions/create":
        assert answer(response)["status"] == "client-required", response.content


@schemathesis.check
def the_answer_bears_no_secret_of_the_run(ctx, response, case):
    """Tokens are told once, when they are made; who is to register, or has, is told their own again."""
    own_told = action(case) == "users/client_register" or response.status_code == 401
    if not own_told:
        assert RUN["token"].encode() not in response.content, "the token of the run was answered"
