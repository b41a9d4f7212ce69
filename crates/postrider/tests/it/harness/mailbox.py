"""A mail server on loopback: tells each recipient that was asked for and each mail that it took as a line of JSON.

refused@… is refused for good, busy@… once for now. Each mail takes a moment, so that a kill can fall into it.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.controller import Controller

MOMENT_SECONDS = 0.02
busy = set()


def tell(line):
    print(json.dumps(line), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        tell({"asked": address})
        if address.startswith("refused@"):
            return "550 no such mailbox"
        if address.startswith("busy@") and address not in busy:
            busy.add(address)
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": mail["subject"],
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "text": mail.get_body(("plain",)).get_content(),
                "html": mail.get_body(("html",)).get_content(),
                "attached": {part.get_filename(): part.get_content() for part in mail.iter_attachments()},
                "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            }
        )
        await asyncio.sleep(MOMENT_SECONDS)
        return "250 taken"


controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
tell({"listening": True})
sys.stdin.read()
