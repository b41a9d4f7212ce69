//! Mails of a node: the post that requests and the outbox send by.

use std::net::SocketAddr;
use std::sync::Arc;

use app::{MailFailed, Mailer};
use async_trait::async_trait;
use domain::letter::Letter;
use mail::{Post, Sender, Transport};

use crate::clock::SystemClock;
use crate::config::Config;

/// The post of a node that listens there.
///
/// # Errors
/// When the way for mails cannot be set up.
pub fn post(config: &Config, listening: SocketAddr) -> anyhow::Result<Arc<Post>> {
    let mails = &config.mails;
    let sender = Sender::new(&mails.from, &mails.public_url(listening))?;
    let transport = Transport::new(&mails.url, config.extra_ca_pem.as_deref())?;
    Ok(Arc::new(Post::new(
        sender,
        transport,
        Arc::new(SystemClock),
    )))
}

/// The post, as the use cases know it.
struct SendsNow(Arc<Post>);

#[async_trait]
impl Mailer for SendsNow {
    async fn send(&self, letters: Vec<Letter>) -> Result<(), MailFailed> {
        let sent = self.0.send_now(&letters).await;
        sent.map_err(|fault| MailFailed(fault.to_string()))
    }
}

/// The mails that requests themselves must send.
pub fn mailer(post: Arc<Post>) -> Arc<dyn Mailer> {
    Arc::new(SendsNow(post))
}

#[cfg(test)]
mod tests {
    use domain::letter::About;
    use domain::time::Moment;

    use super::*;
    use crate::config::Given;

    fn letter(to: &str) -> Letter {
        let about = About::SignInLink {
            link_token: "the-token".to_owned(),
            expires_at: Moment::EPOCH,
        };
        Letter {
            to: to.to_owned(),
            about,
        }
    }

    #[tokio::test]
    async fn a_request_sends_mails_at_once_and_hears_of_failures_without_the_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let given = Given {
            environment: vec![("POSTRIDER_DATA".into(), folder.path().into())],
            ..Given::default()
        };
        let config = Config::new(given).expect("good");
        let listening = "127.0.0.1:8080".parse().expect("an address");
        let mailer = mailer(post(&config, listening).expect("a post"));
        let letters = vec![letter("ann@example.com"), letter("bob@example.com")];
        mailer.send(letters).await.expect("sent");
        let outbox = folder.path().join("outbox");
        let mails: Vec<String> = std::fs::read_dir(&outbox)
            .expect("a folder")
            .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("text"))
            .collect();
        assert_eq!(mails.len(), 2);
        assert!(
            mails
                .iter()
                .any(|mail| mail.contains("To: ann@example.com\r\n"))
        );

        std::fs::remove_dir_all(&outbox).expect("removed");
        std::fs::write(&outbox, "no folder").expect("written");
        let fault = mailer.send(vec![letter("ann@example.com")]).await;
        let fault = fault.expect_err("no folder").to_string();
        assert!(fault.starts_with("the mail cannot be written: "), "{fault}");
        assert!(!fault.contains("ann@"), "{fault}");
    }
}
