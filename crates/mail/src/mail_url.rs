//! Which way mails take, as one setting says it.

use std::fmt;
use std::path::PathBuf;

use url::Url;

/// Where Mandrill's API is.
const MANDRILL: &str = "https://mandrillapp.com";
/// Where a message is sent to, below it.
const MANDRILL_SEND: &str = "/api/1.0/messages/send.json";

/// A way for mails. Holds passwords, and shows none.
#[derive(Clone, PartialEq, Eq)]
pub enum MailUrl {
    /// A mail server: `smtp://`, `smtps://`, with `?tls=required` or `?tls=opportunistic` for STARTTLS.
    Smtp(Url),
    /// Mandrill's API, or a gateway that speaks it.
    Mandrill {
        /// The API key.
        key: String,
        /// Where messages are POSTed.
        endpoint: Url,
    },
    /// A folder that each mail is written to.
    File(PathBuf),
}

/// Why a text names no way for mails; the text itself may hold a password and is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMailUrl {
    /// None of the known kinds.
    #[error(
        "is no way for mails; write smtp://HOST, smtps://HOST, smtp://HOST?tls=required, mandrill://API_KEY or file:DIR"
    )]
    Unknown,
    /// A mail server without a host, or with what it cannot have.
    #[error("names no mail server; write for example smtps://USER:PASSWORD@mail.example.com:465")]
    Smtp,
    /// Another value than the two of `tls`.
    #[error("has an unknown parameter; there is only ?tls=required and ?tls=opportunistic")]
    Tls,
    /// No key, or no host.
    #[error(
        "names no Mandrill key; write mandrill://API_KEY, or mandrill+https://API_KEY@HOST for a gateway"
    )]
    Mandrill,
    /// No folder.
    #[error("names no folder; write for example file:/var/lib/postrider/outbox")]
    File,
}

impl MailUrl {
    /// Reads the setting.
    ///
    /// # Errors
    /// [`BadMailUrl`] with the remedy.
    pub fn parse(text: &str) -> Result<MailUrl, BadMailUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(BadMailUrl::Unknown)?;
        match scheme {
            "file" => folder(rest),
            "smtp" | "smtps" => smtp(text),
            "mandrill" => mandrill(rest.trim_start_matches('/'), MANDRILL),
            "mandrill+http" | "mandrill+https" => {
                let (key, host) = rest
                    .trim_start_matches('/')
                    .split_once('@')
                    .ok_or(BadMailUrl::Mandrill)?;
                let plain = scheme.trim_start_matches("mandrill+");
                mandrill(key, &format!("{plain}://{}", host.trim_end_matches('/')))
            }
            _ => Err(BadMailUrl::Unknown),
        }
    }
}

fn folder(rest: &str) -> Result<MailUrl, BadMailUrl> {
    let folder = std::path::absolute(rest).map_err(|_| BadMailUrl::File)?;
    Ok(MailUrl::File(folder))
}

fn smtp(text: &str) -> Result<MailUrl, BadMailUrl> {
    let url = Url::parse(text).map_err(|_| BadMailUrl::Smtp)?;
    if url.host_str().is_none_or(str::is_empty) || url.fragment().is_some() {
        return Err(BadMailUrl::Smtp);
    }
    let is_known =
        |(name, value): (_, _)| name == "tls" && (value == "required" || value == "opportunistic");
    if !url.query_pairs().all(is_known) || url.query_pairs().count() > 1 {
        return Err(BadMailUrl::Tls);
    }
    Ok(MailUrl::Smtp(url))
}

fn mandrill(key: &str, base: &str) -> Result<MailUrl, BadMailUrl> {
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if key.is_empty() || !key.chars().all(is_key) {
        return Err(BadMailUrl::Mandrill);
    }
    let endpoint = Url::parse(&format!("{base}{MANDRILL_SEND}"));
    Ok(MailUrl::Mandrill {
        key: key.to_owned(),
        endpoint: endpoint.map_err(|_| BadMailUrl::Mandrill)?,
    })
}

impl fmt::Debug for MailUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            MailUrl::Smtp(_) => "Smtp(…)",
            MailUrl::Mandrill { .. } => "Mandrill(…)",
            MailUrl::File(_) => "File(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_is_read() {
        for text in [
            "smtp://mail.example.com",
            "smtp://u:p@127.0.0.1:2525?tls=required",
            "smtp://[::1]:25?tls=opportunistic",
            "smtps://u%40x:p@mail.example.com",
        ] {
            let url = Url::parse(text).expect("a URL");
            assert_eq!(MailUrl::parse(text), Ok(MailUrl::Smtp(url)));
        }
        let mandrill = |endpoint| {
            Ok(MailUrl::Mandrill {
                key: "md-Key_1".to_owned(),
                endpoint: Url::parse(endpoint).expect("a URL"),
            })
        };
        assert_eq!(
            MailUrl::parse("mandrill://md-Key_1"),
            mandrill("https://mandrillapp.com/api/1.0/messages/send.json")
        );
        assert_eq!(
            MailUrl::parse("mandrill+http://md-Key_1@127.0.0.1:99"),
            mandrill("http://127.0.0.1:99/api/1.0/messages/send.json")
        );
        assert_eq!(
            MailUrl::parse("file:/a/b"),
            Ok(MailUrl::File(PathBuf::from("/a/b")))
        );
    }

    #[test]
    fn what_names_no_way_is_refused_without_repeating_it() {
        let cases = [
            ("", BadMailUrl::Unknown),
            ("mail.example.com", BadMailUrl::Unknown),
            ("http://mail.example.com", BadMailUrl::Unknown),
            ("smtp:", BadMailUrl::Smtp),
            ("smtp://", BadMailUrl::Smtp),
            ("smtp://u:hunter2@", BadMailUrl::Smtp),
            ("smtp://m?tls=maybe", BadMailUrl::Tls),
            ("smtp://m?ssl=1", BadMailUrl::Tls),
            ("mandrill://", BadMailUrl::Mandrill),
            ("mandrill://a b", BadMailUrl::Mandrill),
            ("mandrill+http://host", BadMailUrl::Mandrill),
            ("file:", BadMailUrl::File),
        ];
        for (text, fault) in cases {
            assert_eq!(MailUrl::parse(text), Err(fault), "{text}");
        }
        let secret = MailUrl::parse("smtp://u:hunter2@m").expect("good");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
