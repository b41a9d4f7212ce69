//! The portal in a real Chromium, in a frame of another site: a partner mends a subscription and sends a job again. Links that are
//! over, changed, or signed by another key, sites that are not listed, and pages that are no part of it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use domain::id::IntegrationId;
use domain::portal_link::{PortalKey, PortalLink};
use domain::time::Moment;
use serde_json::{Value, json};
use store::SecretKey;

use crate::dashboard::browse;
use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// What the link calls whoever comes by it.
const SUBJECT: &str = "Bob <i>of</i> Acme";

/// A site of somebody else, at a host that is not ours: it frames whatever address stands behind the question mark.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
            let asked = lines.next().and_then(Result::ok).unwrap_or_default();
            for line in lines.map_while(Result::ok) {
                if line.is_empty() {
                    break;
                }
            }
            let path = asked.split(' ').nth(1).unwrap_or_default();
            let framed = path.split_once('?').map_or("", |(_, framed)| framed);
            let page = format!(
                "<!DOCTYPE html><html lang=en><meta name=viewport content='width=device-width'><link rel=icon href='data:,'>\
                 <title>A shop</title><h1>A shop</h1><iframe title=Webhooks src=\"{framed}\" width=1100 height=800></iframe>"
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                page.len()
            );
            // The browser may have gone elsewhere.
            let _ = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
    format!("http://localhost:{port}")
}

/// A token as the server signs it, or as another would.
fn token(key: &SecretKey, integration: i64, expires_at: Moment) -> String {
    let link = PortalLink {
        integration_id: IntegrationId(integration),
        subject: "Eve".to_owned(),
        expires_at,
    };
    let key = PortalKey::from_bytes(key.derive("portal_links"));
    key.token(&link).expect("a token")
}

#[test]
fn a_partner_mends_their_subscription_in_a_frame_of_another_site_and_nobody_else_gets_in() {
    let (listed, unlisted) = (site(), site());
    let mut server = Server::start_with(&["--frame-ancestors", &listed]);
    let (integration, other) = (server.integration("acme"), server.integration("other"));
    let ill = Receiver::scripted(|_, _| Reply::Status(400, vec!["x-note: <b>no</b>".to_owned()]));
    let well = Receiver::start();
    let new = json!({
        "integration_id": integration, "key": "crm", "name": "CRM", "version": "v3", "callback_url": ill.url("/crm"),
        "statuses": ["scheduled"], "retry_policy": { "schedule": ["1h"], "give_up_after": "1d" }
    });
    let sub = server.call("webhook_out_subs/create", new).data();
    let others = server.subscribe(other, "theirs", &well.url("/theirs"));
    server.report(integration, "A-1", "scheduled");
    let failed = wait_for("the first failure", || {
        let asked = json!({ "integration_id": integration, "filters": { "state": ["retrying"] } });
        server.call("webhook_jobs/index", asked).data()[0]["id"].as_i64()
    });
    let asked = json!({ "id": integration, "subject": SUBJECT });
    let link = server.call("integrations/portal_link", asked).data();
    let url = format!("http://{}", server.address);
    let address = link["url"].as_str().expect("an address");
    assert!(address.starts_with(&format!("{url}/portal/prp_")), "{link}");

    let key = std::fs::read_to_string(server.folder().join("secret.key")).expect("a key");
    let key = SecretKey::parse(&key).expect("a key");
    let (another, _) = SecretKey::generate().expect("randomness");
    // The same hand, and good: what follows is refused for what it says.
    let end: Moment = serde_json::from_value(link["expires_at"].clone()).expect("a moment");
    let over = end - Duration::from_secs(60 * 60);
    let good = token(&key, integration, end);
    assert_eq!(
        server
            .client()
            .send("GET", &format!("/portal/{good}"), &[], b"")
            .code,
        200
    );
    let refused = [
        token(&key, integration, over),
        token(&another, integration, end),
        format!("{good}A"),
        good.replacen("prp_W", "prp_X", 1),
        server.token.clone(),
        "prp_".to_owned(),
    ];
    let known = json!({
        "portal": address, "listed": listed, "unlisted": unlisted, "job": failed, "sub": sub["id"], "others": others["id"],
        "well": well.url("/crm"), "refused": refused,
    });
    browse("portal.py", &url, &known);
    assert_eq!(well.received().len(), 1);

    let asked = json!({ "filters": { "noun": ["webhook_out_sub"], "action": ["update"] } });
    let events: Value = server.call("audit_events/index", asked).data();
    assert_eq!(events[0]["actor"], json!({ "portal": SUBJECT }));
    assert_eq!(events[0]["after"]["callback_url"], json!(well.url("/crm")));
}
