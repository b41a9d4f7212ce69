//! People from outside: made at the command line, and reached by mail.

use serde_json::{Value, json};

use crate::harness::{Mail, Mailbox, Server};

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[test]
fn the_first_employee_is_made_at_the_command_line_and_does_the_rest() {
    let mut server = Server::start();
    let made = server.command(&[
        "user",
        "create",
        "--email",
        "boss@example.com",
        "--role",
        "employee",
        "--json",
    ]);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let link = json!({ "link_token": made["link_token"], "remember_me": true });
    let session = server.sensitive("sessions/create", &link).data();
    let token = text(&session["token"]);
    assert_eq!(session["user"]["roles"], json!(["employee"]));
    assert_eq!(session["expires_at"], Value::Null);
    let with = |mut parameters: Value| {
        parameters["token"] = json!(token);
        parameters
    };
    let integration = json!({ "key": "acme", "name": "Acme" });
    let integration = server.call("integrations/create", with(integration)).data();
    let user = json!({
        "email": "eve@example.com", "roles": ["liaison"], "scoped_integrations": [integration["id"]]
    });
    server.call("users/create", with(user)).data();
    let application = json!({ "slug": "feed", "integration_id": integration["id"] });
    let application = server.call("applications/create", with(application)).data();
    let old = text(&application["token"]);
    let rotate = json!({ "id": application["id"], "overlap_seconds": 3600 });
    let rotated = server
        .call("applications/rotate_token", with(rotate))
        .data();
    for token in [&old, &text(&rotated["token"])] {
        let listed = server.call("integrations/index", json!({ "token": token }));
        assert_eq!(listed.data()[0]["key"], "acme");
    }
    let off = json!({ "id": application["id"], "active": false });
    server.call("applications/update", with(off)).data();
    let refused = server.call("integrations/index", json!({ "token": old }));
    assert_eq!(refused.status(), "invalid-token");
    // A new word counts at once.
    let word = json!({ "key": "order_status", "slug": "awaiting_drone" });
    server.call("list_items/create", with(word)).data();
    let id = integration["id"].as_i64().expect("an id");
    server.report(id, "A-1", "awaiting_drone");
    // All of it was written down.
    let events = server.call(
        "audit_events/index",
        with(json!({ "page": { "size": 200 } })),
    );
    let nouns: Vec<String> = events
        .data()
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| format!("{} {}", text(&event["action"]), text(&event["noun"])))
        .collect();
    for event in [
        "create list_item",
        "update application",
        "rotate_token application",
        "create application",
        "create user",
        "create integration",
        "create session",
    ] {
        assert!(nouns.iter().any(|noun| noun == event), "{event}: {nouns:?}");
    }
    let users = server.command(&["user", "list"]);
    let users = String::from_utf8(users.stdout).expect("text");
    assert!(
        users.contains("eve@example.com\tliaison\tintegrations 1"),
        "{users}"
    );
}

#[test]
fn commands_say_what_is_wrong() {
    let server = Server::start();
    let cases: [(&[&str], &str); 5] = [
        (
            &["user", "create", "--email", "nobody"],
            "is no e-mail address",
        ),
        (
            &[
                "user",
                "create",
                "--email",
                "a@example.com",
                "--role",
                "client",
                "--integration",
                "x",
            ],
            "there is no integration with the key `x`",
        ),
        (
            &["user", "link", "--email", "a@example.com"],
            "there is no user a@example.com",
        ),
        (
            &["integration", "create", "--key", "a b"],
            "--key takes 1 to 100 letters",
        ),
        (
            &[
                "route",
                "update",
                "--service",
                "order",
                "--deployed",
                "false",
            ],
            "there is no record of order",
        ),
    ];
    for (arguments, reason) in cases {
        let done = server.command(arguments);
        let told = String::from_utf8(done.stderr).expect("text");
        assert!(
            !done.status.success() && told.contains(reason),
            "{arguments:?}: {told}"
        );
    }
    let made = server.command(&["integration", "create", "--key", "acme", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!(
        (&made["key"], &made["name"]),
        (&json!("acme"), &json!("acme"))
    );
    let listed = server.command(&["integration", "list"]);
    assert!(
        String::from_utf8(listed.stdout)
            .expect("text")
            .starts_with("1\tacme\tacme\t")
    );
}

#[test]
fn links_invitations_and_notices_reach_people_by_mail() {
    let mailbox = Mailbox::start();
    let mut server = Server::start_with(&[
        "--mail",
        &mailbox.url(),
        "--public-url",
        "https://p.example.com/",
    ]);
    let integration = server.integration("acme");
    let link_in = |mail: &Mail| -> String {
        let text = mail.text("text");
        let start = text.find("https://p.example.com/sign_in?link_token=");
        let link = &text[start.unwrap_or_else(|| panic!("no link in {text}"))..];
        let link = link.split_whitespace().next().expect("a link");
        link.split_once('=').expect("a token").1.to_owned()
    };
    let ask = json!({ "email": "new@example.com" }).to_string();
    server.send("sessions/request_link", ask.as_bytes()).data();
    let invite = json!({ "id": integration, "email": "bob@example.com" });
    server.call("integrations/invitation_email", invite).data();
    let sub = json!({
        "integration_id": integration, "key": "crm", "name": "CRM", "version": "v3", "notify": true,
        "callback_url": "https://example.com/", "notification_emails": "ops@example.com"
    });
    server.call("webhook_out_subs/create", sub).data();
    let subjects = [
        ("Your sign-in link", "new@example.com"),
        ("Invitation to acme", "bob@example.com"),
        ("You will be told when CRM keeps failing", "ops@example.com"),
    ];
    let mails = subjects.map(|(subject, to)| {
        let mail = mailbox.wait_for(subject, 1).remove(0);
        assert_eq!(mail.to(), to, "{subject}");
        mail
    });
    let sign_in = |server: &mut Server, link: String| {
        server.sensitive("sessions/create", &json!({ "link_token": link }))
    };
    let new = sign_in(&mut server, link_in(&mails[0]));
    assert_eq!(new.status(), "client-required");
    let invited = sign_in(&mut server, link_in(&mails[1])).data();
    assert_eq!(invited["user"]["scoped_integrations"], json!([integration]));
    assert!(mails[2].text("text").contains("CRM"), "{:?}", mails[2]);
    for mail in &mails {
        assert_eq!(mail.0["defects"], json!([]));
    }
}
