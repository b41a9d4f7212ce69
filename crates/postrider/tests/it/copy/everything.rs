//! A store that has a row in every table, and what must work after it has moved.

use serde_json::{Value, json};

use crate::harness::{Receiver, Server, wait_for, with};
use crate::verify::verify;

/// Orders whose changes wait, and how many changes each has.
const ORDERS: usize = 3;
const CHANGES: usize = 4;

/// What is asked for again after the move.
pub struct Made {
    integration: i64,
    down: Value,
    secret: Value,
    session_token: Value,
    /// The largest ids of a change and of its job.
    stage: i64,
    job: i64,
}

fn once(key: &str) -> Value {
    json!({ "key": key, "name": key, "retention_days": 30, "idempotency_key": key })
}

fn people(server: &mut Server, integration: i64) -> Value {
    let mut links = Vec::new();
    for email in ["boss@example.com", "second@example.com"] {
        let made = server.command(&[
            "user", "create", "--email", email, "--role", "employee", "--json",
        ]);
        assert!(made.status.success(), "{made:?}");
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        links.push(made["link_token"].clone());
    }
    // The first one's is used; the second's stays.
    let used = json!({ "link_token": links[0], "remember_me": true });
    let session = server.sensitive("sessions/create", &used).data();
    for (email, role) in [
        ("eve@example.com", "liaison"),
        ("carl@example.com", "client"),
    ] {
        let user = json!({ "token": session["token"], "email": email, "roles": [role], "scoped_integrations": [integration] });
        server.call("users/create", user).data();
    }
    session["token"].clone()
}

fn subscribe(server: &mut Server, integration: i64, key: &str, url: &str, more: &Value) -> Value {
    let parameters = json!({ "integration_id": integration, "key": key, "name": key, "callback_url": url,
        "version": "v3", "statuses": ["*"] });
    server
        .call("webhook_out_subs/create", with(parameters, more))
        .data()
}

/// Makes it on a server whose receiver answers 503 to `/down`, 422 to `/picky`, and 200 to all else.
pub fn make(receiver: &Receiver) -> (Server, Made) {
    let payloads = ("POSTRIDER_RETENTION_PAYLOADS".to_owned(), "1s".to_owned());
    let mut server = Server::start_embedded();
    let integration = server.call("integrations/create", once("acme")).data();
    let integration = integration["id"].as_i64().expect("an id");
    let session_token = people(&mut server, integration);
    let view = json!({ "integration_id": integration, "key": "slim", "name": "Slim", "template": r#"{"id": {{ order.id }}}"# });
    server.call("payload_render_views/create", view).data();
    let quick = json!({ "schedule": ["100ms"], "give_up_after": "1h" });
    let down = json!({ "retry_policy": quick, "notify": true, "notification_emails": "ops@example.com",
        "asymmetric_signature": true, "headers": [{ "name": "x-key", "value": "s3cret", "secret": true }] });
    let down = subscribe(
        &mut server,
        integration,
        "down",
        &receiver.url("/down"),
        &down,
    );
    let view = json!({ "payload_render_view": "slim", "filter": "sequence < 3" });
    subscribe(&mut server, integration, "up", &receiver.url("/up"), &view);
    let picky = json!({ "retry_policy": { "schedule": ["100ms"], "give_up_after": "1s" } });
    subscribe(
        &mut server,
        integration,
        "picky",
        &receiver.url("/picky"),
        &picky,
    );
    let gone = json!({ "retry_policy": quick });
    let gone = subscribe(
        &mut server,
        integration,
        "gone",
        &receiver.url("/down"),
        &gone,
    );
    // From now on nobody takes mails.
    let nowhere = ("POSTRIDER_MAIL".to_owned(), "smtp://127.0.0.1:1".to_owned());
    server.set_environment(vec![payloads, nowhere]);
    assert!(server.terminate());
    server.restart();
    let mut last = Value::Null;
    for change in 0..CHANGES {
        for order in 0..ORDERS {
            let stage = ["new_request", "scheduled", "hold", "scheduled"][change % 4];
            last = server.report(integration, &format!("order-{order} é"), stage);
        }
    }
    let database = server.database();
    let has = |sql: &str| -> bool {
        let found = database.query_row(sql, [], |row| row.get::<_, i64>(0));
        found.expect(sql) > 0
    };
    for sql in [
        "select count(*) from mails",
        "select count(*) from trouble_mails",
        "select count(*) from notifications where kind = 'job_exhausted'",
        "select count(*) from payload_removals",
        "select count(*) from lanes",
    ] {
        wait_for(sql, || has(sql).then_some(()));
    }
    let asked = json!({ "integration_id": integration, "id": gone["id"] });
    server.call("webhook_out_subs/delete", asked).data();
    let many = json!({ "integration_id": integration, "filters": { "subscribers": ["picky"] }, "per_second": 1 });
    server.call("webhook_jobs/retry_many", many).data();
    let asked = json!({ "integration_id": integration, "id": down["id"] });
    let secret = server.call("webhook_out_subs/secret", asked).data();
    let jobs = last["webhook_jobs"].as_array().expect("jobs");
    let ids = jobs.iter().filter_map(|job| job["id"].as_i64());
    let made = Made {
        integration,
        down,
        secret,
        session_token,
        stage: last["id"].as_i64().expect("an id"),
        job: ids.max().expect("a job"),
    };
    (server, made)
}

/// Whether tokens, secrets, waiting jobs and ids are as they were, on a receiver that has forgotten what came and answers 200.
pub fn check(mut server: Server, made: &Made, receiver: &Receiver) {
    let integration = made.integration;
    let session = server.call("sessions/show", json!({ "token": made.session_token }));
    assert_eq!(session.data()["user"]["email"], "boss@example.com");
    let again = server.call("integrations/create", once("acme")).data();
    assert_eq!(
        (&again["id"], &again["replayed"]),
        (&json!(integration), &json!(true))
    );
    let asked = json!({ "integration_id": integration, "id": made.down["id"] });
    let secret = server.call("webhook_out_subs/secret", asked).data();
    assert_eq!(secret, made.secret);
    let waits = json!({ "integration_id": integration, "filters": { "state": ["pending", "delivering", "retrying"] } });
    wait_for("all that waited to be delivered", || {
        let waiting = server.call("webhook_jobs/index", waits.clone()).data();
        (waiting == json!([])).then_some(())
    });
    let received = receiver.received();
    let came = received.iter().filter(|request| request.path == "/down");
    let mut sequences: Vec<Vec<i64>> = vec![Vec::new(); ORDERS];
    for request in came {
        assert_eq!(request.header("x-key"), "s3cret");
        let order = request.json()["external_order_id"].to_string();
        let order = (0..ORDERS).find(|number| order.contains(&format!("order-{number} é")));
        let sequence = request.header("postrider-sequence").parse();
        sequences[order.expect("an order")].push(sequence.expect("a number"));
    }
    let expected: Vec<i64> = (1..).take(CHANGES).collect();
    assert_eq!(sequences, vec![expected; ORDERS]);
    let new = server.report(integration, "order-0 é", "scheduled");
    assert!(new["id"].as_i64().expect("an id") > made.stage, "{new}");
    let jobs = new["webhook_jobs"].as_array().expect("jobs");
    for job in jobs {
        assert!(job["id"].as_i64().expect("an id") > made.job, "{new}");
        server.wait_for_job(integration, &job["id"], "delivered");
    }
    assert!(server.integration("another") > integration);
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
    assert!(server.terminate());
}
