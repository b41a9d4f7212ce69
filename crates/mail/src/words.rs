//! What each letter says, as blocks that the text and the HTML are made of.

use domain::letter::{About, FailedJob, SubNamed};
use domain::time::Moment;

/// The most bytes of a payload that stand in the mail itself; a larger one is attached, since mail programs choke on
/// very long bodies and nobody reads them there.
pub(crate) const PAYLOAD_INLINE_BYTES_MAX: usize = 16 * 1_024;

/// A piece of a mail's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// A link, with what it does.
    Link { label: &'static str, url: String },
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
    /// Text to be shown as it is.
    Code(String),
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) blocks: Vec<Block>,
    /// A payload that is too long for the body.
    pub(crate) payload: Option<String>,
}

fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

fn words(subject: impl Into<String>, blocks: Vec<Block>) -> Words {
    Words {
        subject: subject.into(),
        blocks,
        payload: None,
    }
}

/// The words for a letter; `public_url` is where people reach this server.
pub(crate) fn of(about: &About, public_url: &str) -> Words {
    match about {
        About::SignInLink {
            link_token,
            expires_at,
        } => sign_in(public_url, link_token, *expires_at),
        About::Invitation {
            integration,
            link_token,
            expires_at,
        } => invitation(public_url, integration, link_token, *expires_at),
        About::NotificationEmail { sub } => notification_email(sub),
        About::KeepsFailing { sub, job, jobs } => keeps_failing(sub, job, *jobs),
        About::SwitchedOff { sub, reason, at } => switched_off(sub, reason, *at),
        About::Recovered { sub, at } => recovered(sub, *at),
    }
}

fn sign_in(public_url: &str, token: &str, expires_at: Moment) -> Words {
    let mut blocks = vec![text(
        "Somebody, hopefully you, asked Postrider for a link to sign in with this address.",
    )];
    blocks.extend(link(public_url, "Sign in", token, expires_at));
    blocks.push(text(
        "If it was not you, do nothing: without the link nobody gets in.",
    ));
    words("Your sign-in link", blocks)
}

fn invitation(public_url: &str, integration: &str, token: &str, expires_at: Moment) -> Words {
    let mut blocks = vec![text(format!(
        "You are invited to the integration \"{integration}\" on Postrider. There you see its webhooks, and what became of \
         each delivery."
    ))];
    blocks.extend(link(public_url, "Accept the invitation", token, expires_at));
    blocks.push(text("If you expected no invitation, do nothing."));
    words(format!("Invitation to {integration}"), blocks)
}

/// A link that signs in, also for those who call the API by hand.
fn link(public_url: &str, label: &'static str, token: &str, expires_at: Moment) -> [Block; 4] {
    // A token is made of letters, digits and signs that need no escape; encoded all the same, as links must be.
    let query: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    [
        Block::Link {
            label,
            url: format!("{public_url}/sign_in?link_token={query}"),
        },
        text(format!(
            "The link works once, until {}.",
            readable(expires_at)
        )),
        text("To sign in through the API instead, call sessions/create with this link_token:"),
        Block::Code(token.to_owned()),
    ]
}

fn notification_email(sub: &SubNamed) -> Words {
    words(
        format!("You will be told when {} keeps failing", sub.name),
        vec![
            text(
                "This address was entered to be told when a webhook keeps failing, when it is switched off, and when it works \
                 again.",
            ),
            facts(sub),
            text(
                "If that is a mistake, ask whoever looks after this integration to take the address out.",
            ),
        ],
    )
}

fn keeps_failing(sub: &SubNamed, job: &FailedJob, jobs: u32) -> Words {
    let what = if job.exhausted {
        "could not be delivered and was given up"
    } else {
        "could not be delivered so far; Postrider goes on trying"
    };
    let mut blocks = vec![
        text(format!(
            "A message to your webhook \"{}\" {what}.",
            sub.name
        )),
        facts(sub),
        Block::Facts(job_facts(job)),
    ];
    if jobs > 1 {
        blocks.push(text(format!(
            "{jobs} messages failed like this since the last mail, this one included."
        )));
    }
    let is_inline = job.payload.len() <= PAYLOAD_INLINE_BYTES_MAX;
    if is_inline {
        blocks.push(text("This is what should have arrived:"));
        blocks.push(Block::Code(job.payload.clone()));
    } else {
        blocks.push(text(
            "What should have arrived is attached as payload.json.",
        ));
    }
    Words {
        payload: (!is_inline).then(|| job.payload.clone()),
        ..words(format!("{} keeps failing", sub.name), blocks)
    }
}

fn switched_off(sub: &SubNamed, reason: &str, at: Moment) -> Words {
    words(
        format!("{} was switched off", sub.name),
        vec![
            text(format!(
                "Your webhook \"{}\" was switched off on {}: {reason}.",
                sub.name,
                readable(at)
            )),
            facts(sub),
            text(
                "What waits for it is kept. Once it works, set active to true with webhook_out_subs/update, and everything goes \
                 out. Changes that are reported meanwhile make no messages for it.",
            ),
        ],
    )
}

fn recovered(sub: &SubNamed, at: Moment) -> Words {
    words(
        format!("{} works again", sub.name),
        vec![
            text(format!(
                "Your webhook \"{}\" takes messages again since {}. What had to wait goes out now.",
                sub.name,
                readable(at)
            )),
            facts(sub),
        ],
    )
}

fn facts(sub: &SubNamed) -> Block {
    let mut facts = vec![
        ("Integration", sub.integration.clone()),
        ("Webhook", format!("{} ({})", sub.name, sub.key)),
        ("Callback URL", sub.callback_url.clone()),
    ];
    facts.extend(sub.id.map(|id| ("Subscription id", id.to_string())));
    Block::Facts(facts)
}

fn job_facts(job: &FailedJob) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Job id", job.id.to_string())];
    facts.extend(job.order_id.map(|id| ("Order id", id.to_string())));
    if !job.status.is_empty() {
        facts.push(("Status", job.status.clone()));
    }
    facts.extend(job.event.clone().map(|event| ("Event", event)));
    facts.push(("Failed attempts", job.attempt_count.to_string()));
    facts.push(("Last failure", job.last_fault.clone()));
    facts
}

/// A moment for people, to the second: `2026-01-31 12:30:00 UTC`.
fn readable(moment: Moment) -> String {
    let whole = Moment::from_microseconds(moment.seconds().saturating_mul(1_000_000));
    whole.to_string().replace('T', " ").replace('Z', " UTC")
}
