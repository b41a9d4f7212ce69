//! The dashboard's forms, sent as a browser without scripts sends them: what they change, what they refuse, and who may.

mod account;
mod browser;

use serde_json::{Value, json};

use self::browser::{employee, liaison};
use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// The secret that a page shows.
fn secret(page: &str) -> String {
    let (_, rest) = page.split_once("whsec_").expect("a secret");
    let end = rest.find('<').expect("its end");
    format!("whsec_{}", &rest[..end])
}

#[test]
fn a_subscription_is_made_changed_tested_switched_and_deleted() {
    let mut server = Server::start();
    let boss = employee(&mut server);
    let integration = server.integration("acme");
    let receiver = Receiver::start();
    let subs = format!("/integrations/{integration}/webhook_out_subs");
    boss.page(&mut server, &format!("{subs}/new"));
    let url = format!("http://{}/crm", receiver.address);
    let mut sent = vec![
        ("key", "crm"),
        ("name", "<b>CRM</b>"),
        ("callback_url", url.as_str()),
        ("statuses", "scheduled"),
        ("version", "v3"),
        ("active", "true"),
        ("headers", "secret x-api-key: shh\r\nx-to: crm"),
        ("retry_policy.schedule", "soon"),
        ("retry_policy.give_up_after", "1d"),
    ];
    let refused = boss.post(&mut server, &subs, &sent);
    assert_eq!(refused.code, 400, "{}", refused.text);
    assert!(
        refused.text.contains("field-retry_policy-schedule-fault"),
        "{}",
        refused.text
    );
    sent[7].1 = "5s\r\n1m";
    let made = boss.post(&mut server, &subs, &sent);
    assert_eq!(made.code, 200, "{}", made.text);
    let first = secret(&made.text);
    let listed = server.call(
        "webhook_out_subs/index",
        json!({ "integration_id": integration }),
    );
    let sub = listed.data()[0].clone();
    assert_eq!(sub["retry_policy"]["schedule"], json!(["5s", "1m"]));
    assert_eq!(sub["headers"][0]["value"], "********");
    assert_eq!(sub["rate_limit"], Value::Null);
    let one = format!("{subs}/{}", sub["id"]);
    let page = boss.page(&mut server, &one);
    assert!(
        page.contains("healthy") && page.contains("&lt;b&gt;CRM"),
        "{page}"
    );
    assert!(!page.contains("whsec_"), "{page}");

    // What is not touched stays: the secret header, above all.
    let page = boss.page(&mut server, &format!("{one}/edit"));
    assert!(page.contains("secret x-api-key: ********"), "{page}");
    sent[1].1 = "CRM";
    sent[6].1 = "secret x-api-key: ********\r\nx-to: crm";
    sent.push(("rate_limit.per_second", "20"));
    let path = boss.done(&mut server, &format!("{one}/edit"), &sent);
    assert_eq!(path, one);
    let shown = json!({ "integration_id": integration, "id": sub["id"] });
    let changed = server.call("webhook_out_subs/show", shown.clone()).data();
    assert_eq!(changed["name"], "CRM");
    assert_eq!(changed["headers"], sub["headers"]);
    assert_eq!(changed["rate_limit"]["burst"], 20);

    let job = boss.done(&mut server, &format!("{one}/send_test"), &[]);
    let id: i64 = job
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("a number");
    server.wait_for_job(integration, &json!(id), "delivered");
    assert!(boss.page(&mut server, &job).contains("Delivered"));

    let asked = boss.post(&mut server, &format!("{one}/secret"), &[]);
    assert_eq!(secret(&asked.text), first);
    boss.page(&mut server, &format!("{one}/rotate_secret"));
    let fields = [("overlap_seconds", "3600")];
    let rotated = boss.post(&mut server, &format!("{one}/rotate_secret"), &fields);
    assert_ne!(secret(&rotated.text), first);
    assert!(
        rotated.text.contains("signs as well until"),
        "{}",
        rotated.text
    );

    boss.done(&mut server, &format!("{one}/disable"), &[]);
    let page = boss.page(&mut server, &one);
    assert!(page.contains("switched off by hand"), "{page}");
    let asked = format!("{subs}/explain?stage=scheduled");
    assert!(
        boss.page(&mut server, &asked)
            .contains("0 of 1 would be sent it")
    );
    boss.page(&mut server, &format!("{one}/enable"));
    let fields = [("since", "2020-01-31T16:20")];
    let recovery = boss.done(&mut server, &format!("{one}/enable"), &fields);
    assert!(recovery.contains("/webhook_jobs/recoveries/"), "{recovery}");
    assert!(
        boss.page(&mut server, &asked)
            .contains("1 of 1 would be sent it")
    );

    boss.page(&mut server, &format!("{one}/delete"));
    assert_eq!(boss.done(&mut server, &format!("{one}/delete"), &[]), subs);
    assert_eq!(boss.get(&mut server, &one).code, 404);
}

#[test]
fn a_subscription_that_its_receiver_switched_off_says_so_and_is_switched_on_since_then() {
    let mut server = Server::start();
    let boss = employee(&mut server);
    let integration = server.integration("acme");
    let receiver = Receiver::scripted(|_, _| Reply::Status(410, Vec::new()));
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    server.report(integration, "A-1", "scheduled");
    let one = format!("/integrations/{integration}/webhook_out_subs/{}", sub["id"]);
    let page = wait_for("the subscription to be off", || {
        let page = boss.page(&mut server, &one);
        page.contains("answered 410 Gone").then_some(page)
    });
    assert!(!page.contains("switched off by hand"), "{page}");
    let overview = boss.page(&mut server, &format!("/integrations/{integration}"));
    assert!(overview.contains("needs attention"), "{overview}");
    assert!(overview.contains("at most 1 at once"), "{overview}");
    let page = boss.page(&mut server, &format!("{one}/enable"));
    assert!(page.contains("has missed the changes since then"), "{page}");
}

#[test]
fn a_liaison_reads_and_changes_nothing() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let other = server.integration("other");
    let sub = server.subscribe(integration, "crm", "http://127.0.0.1:9/");
    let eve = liaison(&mut server, integration);
    let subs = format!("/integrations/{integration}/webhook_out_subs");
    let one = format!("{subs}/{}", sub["id"]);
    let page = eve.page(&mut server, &one);
    assert!(
        !page.contains("/send_test") && !page.contains("/secret"),
        "{page}"
    );
    eve.page(&mut server, &subs);
    for path in [
        "new".to_owned(),
        format!("{}/edit", sub["id"]),
        format!("{}/delete", sub["id"]),
    ] {
        let answer = eve.get(&mut server, &format!("{subs}/{path}"));
        assert_eq!(answer.code, 403, "{path}");
    }
    for action in [
        "edit",
        "send_test",
        "secret",
        "rotate_secret",
        "enable",
        "disable",
        "delete",
    ] {
        let answer = eve.post(
            &mut server,
            &format!("{one}/{action}"),
            &[("version", "v3")],
        );
        assert_eq!(answer.code, 403, "{action}");
    }
    let elsewhere = format!("/integrations/{other}/webhook_out_subs");
    assert_eq!(eve.get(&mut server, &elsewhere).code, 404);
    let shown = json!({ "integration_id": integration, "id": sub["id"] });
    assert_eq!(
        server.call("webhook_out_subs/show", shown).data()["key"],
        "crm"
    );
}

/// What a page shows under this title, in its block of code.
fn token(page: &str) -> String {
    let (_, rest) = page.split_once("pra_").expect("a token");
    let end = rest.find('<').expect("its end");
    format!("pra_{}", &rest[..end])
}

#[test]
fn people_programs_words_and_routes_are_managed() {
    let mut server = Server::start();
    let boss = employee(&mut server);
    let integration = server.integration("acme");

    // A program: its token is shown once, replaced, and refused when it is switched off.
    boss.page(&mut server, "/applications/new");
    let refused = boss.post(&mut server, "/applications", &[("slug", "no spaces")]);
    assert!(refused.code == 400 && refused.text.contains("field-slug-fault"));
    let made = boss.post(&mut server, "/applications", &[("slug", "feed")]);
    let first = token(&made.text);
    let listed = server.call(
        "applications/index",
        json!({ "search": { "term": "feed" } }),
    );
    let one = format!("/applications/{}", listed.data()[0]["id"]);
    assert!(!boss.page(&mut server, &one).contains("pra_"));
    let rotated = boss.post(&mut server, &format!("{one}/rotate_token"), &[]);
    let second = token(&rotated.text);
    let mut status = |token: &str| {
        let asked = json!({ "token": token });
        server.call("integrations/index", asked).status()
    };
    assert_eq!(status(&first), "invalid-token");
    assert_eq!(status(&second), "action-successful");
    boss.done(
        &mut server,
        &format!("{one}/active"),
        &[("active", "false")],
    );
    let asked = json!({ "token": second });
    assert_eq!(
        server.call("integrations/index", asked).status(),
        "invalid-token"
    );
    boss.done(&mut server, &one, &[("slug", "old-feed")]);
    assert!(boss.page(&mut server, "/applications").contains("old-feed"));

    // A person: made, scoped, and let go.
    boss.page(&mut server, "/users/new");
    let id = integration.to_string();
    let fields = [
        ("email", "bob@example.com"),
        ("roles", "liaison"),
        ("scoped_integrations", &id),
    ];
    let user = boss.done(&mut server, "/users", &fields);
    assert!(boss.page(&mut server, &user).contains("1 integration"));
    assert_eq!(boss.done(&mut server, &user, &[]), user);
    assert!(boss.page(&mut server, &user).contains("nothing"));
    let path = format!("/integrations/{integration}/invitation_email");
    boss.page(&mut server, &path);
    boss.done(&mut server, &path, &[("email", "new@example.com")]);
    assert_eq!(
        boss.post(&mut server, &path, &[("email", "nobody")]).code,
        400
    );

    // A word.
    let words = "/list_items/order_status";
    boss.page(&mut server, "/list_items/order_status/new");
    let fields = [("slug", "awaiting_drone"), ("active", "true")];
    assert_eq!(boss.done(&mut server, words, &fields), words);
    server.report(integration, "A-1", "awaiting_drone");
    let search = json!({ "key": "order_status", "search": { "term": "awaiting_drone" } });
    let word = server.call("list_items/index", search.clone()).data()[0].clone();
    let path = format!("{words}/{}", word["id"]);
    assert!(
        boss.page(&mut server, &path)
            .contains("value=\"awaiting_drone\"")
    );
    boss.done(
        &mut server,
        &path,
        &[("name", "Drone"), ("description", "")],
    );
    let word = server.call("list_items/index", search).data()[0].clone();
    assert_eq!(word["name"], "Drone");
    assert_eq!(word["active"], false);
    assert_eq!(boss.get(&mut server, "/list_items/nothing").code, 404);

    // A route, off and on.
    let filter = json!({ "filters": { "service": "orders" } });
    let routes = server.call("routes/index", filter.clone()).data();
    let path = format!("/routes/{}", routes[0]["id"]);
    boss.done(&mut server, &path, &[("deployed", "false")]);
    assert_eq!(
        server.call("routes/index", filter).data()[0]["deployed"],
        false
    );
    assert!(
        boss.page(&mut server, "/routes?service=orders&deployed=false")
            .contains("Switch on")
    );
    boss.done(&mut server, &path, &[("deployed", "true")]);
    boss.page(&mut server, "/services");
    boss.page(&mut server, "/notifications");
    let events = boss.page(&mut server, "/audit_events?noun=list_item&action=update");
    assert!(
        events.contains("Drone") && events.contains("awaiting_drone"),
        "{events}"
    );

    // None of it is for others.
    let eve = liaison(&mut server, integration);
    for path in [
        "/applications",
        "/applications/new",
        &one,
        "/users",
        "/users/new",
        &user,
        "/list_items/order_status/new",
        "/routes",
        "/services",
        "/notifications",
        "/audit_events",
        &format!("/integrations/{integration}/invitation_email"),
    ] {
        assert_eq!(eve.get(&mut server, path).code, 403, "{path}");
    }
    for path in [
        "/applications",
        &one,
        "/users",
        &user,
        "/list_items/order_status",
        "/routes/1",
        "/services/1",
        "/notifications/1",
    ] {
        let fields = [
            ("slug", "x"),
            ("email", "x@example.com"),
            ("deployed", "false"),
            ("read", "true"),
        ];
        assert_eq!(eve.post(&mut server, path, &fields).code, 403, "{path}");
    }
    eve.page(&mut server, words);
}
