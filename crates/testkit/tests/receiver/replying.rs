//! What a receiver does with requests, as the test says.

use std::pin::pin;
use std::task::{Context, Waker};

use http_body_util::BodyExt;
use testkit::{Answer, Gate, Receiver, Reply};

use crate::client::{post, status};

/// More than fits into the buffers of a connection on loopback.
const MUCH_BYTES: usize = 8 * 1024 * 1024;

#[tokio::test]
async fn it_answers_200_until_told_otherwise() {
    let receiver = Receiver::start().await;
    assert_eq!(status(&receiver, "/").await, 200);
    receiver.reply(503);
    assert_eq!(status(&receiver, "/").await, 503);
    assert_eq!(status(&receiver, "/").await, 503);
    receiver.reply(204);
    assert_eq!(status(&receiver, "/").await, 204);
}

#[tokio::test]
async fn what_is_said_of_a_path_goes_before_what_is_said_of_all_and_queues_before_both() {
    let receiver = Receiver::start().await;
    receiver.reply(500);
    receiver.queue([501, 502]);
    receiver.reply_at("/a", 410);
    receiver.queue_at("/a", [429]);
    receiver.queue_at("/b", [418]);
    let cases = [
        ("/a", 429),
        ("/a", 410),
        ("/a?query=1", 410),
        ("/b", 418),
        ("/b", 501),
        ("/c", 502),
        ("/b", 500),
    ];
    for (index, (path, expected)) in cases.into_iter().enumerate() {
        assert_eq!(status(&receiver, path).await, expected, "{index}: {path}");
    }
    receiver.queue_at("/a", [418]);
    receiver.reply_at("/a", 200);
    assert_eq!(
        status(&receiver, "/a").await,
        200,
        "a new reply drops the queue"
    );
}

#[tokio::test]
async fn answers_carry_headers_and_a_body() {
    let receiver = Receiver::start().await;
    let answer = Answer::status(429)
        .header("Retry-After", "120")
        .body("later");
    receiver.reply(answer);
    let answer = post(&receiver, "/", "{}").await.expect("an answer");
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "120");
    assert_eq!(answer.headers()["content-length"], "5");
    let body = answer.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), "later");
}

#[tokio::test]
async fn a_gate_holds_answers_back_until_it_is_released() {
    let receiver = Receiver::start().await;
    let gate = Gate::default();
    receiver.reply(Answer::status(201).after(&gate));
    let mut held = pin!(status(&receiver, "/"));
    tokio::select! {
        status = &mut held => assert_eq!(status, 0, "the gate is shut"),
        _ = receiver.wait_for_count(1) => {}
    }
    assert!(
        held.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    gate.release();
    assert_eq!(held.await, 201);
    assert_eq!(
        status(&receiver, "/").await,
        201,
        "a released gate stays open"
    );
}

#[tokio::test]
async fn a_connection_may_be_closed_without_an_answer() {
    let receiver = Receiver::start().await;
    receiver.queue([Reply::Close]);
    let fault = post(&receiver, "/", "{}").await.expect_err("no answer");
    assert!(fault.is_incomplete_message(), "{fault:?}");
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(status(&receiver, "/").await, 200);
}

#[tokio::test]
async fn an_endless_body_goes_on_for_as_long_as_it_is_read() {
    let receiver = Receiver::start().await;
    receiver.reply(Answer::status(200).endless_body());
    let answer = post(&receiver, "/", "{}").await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    let mut read_bytes = 0;
    while read_bytes < MUCH_BYTES {
        let frame = body.frame().await.expect("no end").expect("no fault");
        read_bytes += frame.into_data().expect("data").len();
    }
}

#[tokio::test]
async fn a_broken_body_follows_a_whole_head() {
    let receiver = Receiver::start().await;
    receiver.reply(Answer::status(200).broken_body("begin"));
    let answer = post(&receiver, "/", "{}").await.expect("a head");
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    let frame = body.frame().await.expect("a frame").expect("a beginning");
    assert_eq!(frame.into_data().expect("data"), "begin");
    body.frame().await.expect("no end").expect_err("it broke");
}

#[tokio::test]
async fn a_stalled_body_neither_goes_on_nor_ends() {
    let receiver = Receiver::start().await;
    receiver.reply(Answer::status(200).stalled_body("begin"));
    let answer = post(&receiver, "/", "{}").await.expect("a head");
    let mut body = answer.into_body();
    let frame = body.frame().await.expect("a frame").expect("a beginning");
    assert_eq!(frame.into_data().expect("data"), "begin");
    // Another exchange passes meanwhile; nothing more has come of this one.
    receiver.reply(200);
    assert_eq!(status(&receiver, "/").await, 200);
    let mut next = pin!(body.frame());
    assert!(
        next.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}
