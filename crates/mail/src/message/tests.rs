//! What each letter becomes: readable, bounded, and no way into the headers.

use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::letter::{About, FailedJob, SubNamed};

use super::*;
use crate::words::PAYLOAD_INLINE_BYTES_MAX;

const DATE: Moment = Moment::from_microseconds(1_750_000_000_123_456);

fn sender() -> Sender {
    Sender::new(
        "Postrider <postrider@mail.example.com>",
        "https://p.example.com/",
    )
    .expect("a sender")
}

fn sub(name: &str) -> SubNamed {
    SubNamed {
        id: Some(WebhookOutSubId(7)),
        integration_id: IntegrationId(1),
        integration: "Acme".to_owned(),
        key: "crm".to_owned(),
        name: name.to_owned(),
        callback_url: "https://crm.example.com/hook?a=1&b=2".to_owned(),
    }
}

fn failing(name: &str, payload: String, jobs: u32) -> About {
    About::KeepsFailing {
        sub: sub(name),
        job: FailedJob {
            id: WebhookJobId(11),
            order_id: Some(OrderId(3)),
            status: "scheduled".to_owned(),
            event: None,
            attempt_count: 10,
            exhausted: false,
            last_fault: "answered 500, success is 2xx".to_owned(),
            payload,
        },
        jobs,
    }
}

fn message(about: About) -> Message {
    let letter = Letter {
        to: "ann@example.com".to_owned(),
        about,
    };
    let message = sender().message(&letter, Some("0f"), DATE);
    message.expect("a message")
}

fn formatted(message: &Message) -> String {
    let bytes = message.to_mime().expect("written").formatted();
    String::from_utf8(bytes).expect("ASCII")
}

fn every_about(name: &str) -> Vec<About> {
    let link_token = "tok-en_1".to_owned();
    vec![
        About::SignInLink {
            link_token: link_token.clone(),
            expires_at: DATE,
        },
        About::Invitation {
            integration: name.to_owned(),
            link_token,
            expires_at: DATE,
        },
        About::NotificationEmail { sub: sub(name) },
        failing(name, "{\"a\":1}".to_owned(), 3),
        About::SwitchedOff {
            sub: sub(name),
            reason: "it answered 410".to_owned(),
            at: DATE,
        },
        About::Recovered {
            sub: sub(name),
            at: DATE,
        },
    ]
}

#[test]
fn each_letter_says_what_it_is_about_in_text_and_html() {
    let cases = [
        (
            "Your sign-in link",
            "https://p.example.com/sign_in?link_token=tok-en_1",
        ),
        ("Invitation to CRM", "sessions/create"),
        ("You will be told when CRM keeps failing", "CRM (crm)"),
        ("CRM keeps failing", "3 messages failed like this"),
        ("CRM was switched off", "it answered 410"),
        ("CRM works again", "2025-06-15 15:06:40 UTC"),
    ];
    for (about, (subject, part)) in every_about("CRM").into_iter().zip(cases) {
        let message = message(about);
        assert_eq!(message.subject, subject);
        assert!(message.text.contains(part), "{}", message.text);
        assert!(message.html.contains(part), "{}", message.html);
        assert!(message.payload.is_none());
    }
}

#[test]
fn links_bring_the_token_for_people_and_for_programs() {
    for about in every_about("CRM").into_iter().take(2) {
        let message = message(about);
        assert!(message.text.contains("\n\ntok-en_1\n"), "{}", message.text);
        assert!(message.html.contains("<pre"), "{}", message.html);
    }
}

#[test]
fn the_headers_are_those_of_a_machine_that_can_be_recognised() {
    let message = message(failing("CRM", "{}".to_owned(), 1));
    let mail = formatted(&message);
    for line in [
        "From: Postrider <postrider@mail.example.com>",
        "To: ann@example.com",
        "Subject: CRM keeps failing",
        "Message-ID: <0f@mail.example.com>",
        "Date: Sun, 15 Jun 2025 15:06:40 +0000",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(mail.contains(&format!("{line}\r\n")), "{line} in\n{mail}");
    }
    assert_eq!(mail, mail.replace("\r\n", "\n").replace('\n', "\r\n"));
}

#[test]
fn a_name_with_line_breaks_or_signs_stays_a_name() {
    let name = "A\r\nBcc: eve@example.com\r\n\r\n<b>Ä&\u{2028}\"x\"</b>";
    for about in every_about(name) {
        let message = message(about);
        assert!(!message.subject.contains(char::is_control));
        let mail = formatted(&message);
        let (headers, _) = mail.split_once("\r\n\r\n").expect("a body");
        let headers: Vec<&str> = headers.split("\r\n").collect();
        assert!(
            !headers.iter().any(|line| line.starts_with("Bcc")),
            "{headers:?}"
        );
        assert!(!message.html.contains("<b>"), "{}", message.html);
    }
}

#[test]
fn a_subject_that_is_not_ascii_is_encoded_and_a_long_one_cut() {
    let about = failing("Žluťoučký kůň 🐎", "{}".to_owned(), 1);
    let mail = formatted(&message(about));
    assert!(
        mail.is_ascii() && mail.contains("\r\nSubject: =?utf-8?"),
        "{mail}"
    );
    let long = message(failing(&"ü".repeat(200), "{}".to_owned(), 1));
    assert_eq!(long.subject.chars().count(), SUBJECT_CHARS_MAX);
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for about in every_about("CRM") {
        let html = message(about).html;
        for sign in ["<img", "src=", "url(", "<script", "@import", "<link"] {
            assert!(!html.contains(sign), "{sign} in {html}");
        }
    }
}

#[test]
fn a_small_payload_stands_in_the_mail_and_a_large_one_is_attached() {
    let small = "x".repeat(PAYLOAD_INLINE_BYTES_MAX);
    let inline = message(failing("CRM", small.clone(), 1));
    assert!(inline.text.contains(&small) && inline.payload.is_none());
    let large = format!("{small}x");
    let attached = message(failing("CRM", large.clone(), 1));
    assert!(!attached.text.contains(&small) && !attached.html.contains(&small));
    assert_eq!(attached.payload.as_deref(), Some(large.as_str()));
    let mail = formatted(&attached);
    assert!(mail.contains("filename=\"payload.json\""), "no attachment");
}

#[test]
fn what_is_no_address_is_never_mailed_to() {
    for to in [
        "",
        "ann",
        "ann@example.com\r\nBcc: eve@example.com",
        "a@b, c@d",
    ] {
        let letter = Letter {
            to: to.to_owned(),
            about: failing("CRM", String::new(), 1),
        };
        let fault = sender().message(&letter, None, DATE).map(|_| ());
        assert!(matches!(fault, Err(SendFault::Final(_))), "{to}");
    }
    for from in ["", "x", "a@b\r\nBcc: c@d"] {
        assert!(Sender::new(from, "").is_err(), "{from}");
    }
}
