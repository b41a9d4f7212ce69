//! Payload views of one's own, and the names by which subscriptions mean a view.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, PayloadRenderViewId};
use crate::payload::View;
use crate::time::Moment;

/// Longest key in characters.
pub const VIEW_KEY_CHARS_MAX: usize = 100;
/// Most views of an integration, and as many for all: a change may render each of them.
pub const VIEWS_MAX: usize = 100;

/// The key of a view of one's own: letters, digits and `_ . : -`, and no name of a built-in view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ViewKey(String);

/// Which view a subscription means, as `thin`, `crm` or `crm@3`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ViewName {
    /// One that Postrider brings along.
    BuiltIn(View),
    /// One of one's own.
    Own {
        /// Its key. The integration's own view comes before the one for all.
        key: ViewKey,
        /// The revision that is pinned; the newest where there is none.
        revision: Option<u32>,
    },
}

/// Why a text is no key, or names no view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewNameFault {
    /// It is too long, too short, or has other signs.
    #[error("may hold 1 to {VIEW_KEY_CHARS_MAX} letters, digits and _ . : - signs only")]
    NotAKey,
    /// A built-in view has it.
    #[error("is the name of a built-in view")]
    Reserved,
    /// What stands behind the `@` is no number of a revision.
    #[error("must end with the number of a revision behind the @, such as crm@3")]
    NotARevision,
}

/// A view of one's own, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRenderView {
    /// Its identity.
    pub id: PayloadRenderViewId,
    /// Whose it is; none for one that all integrations may use.
    pub integration_id: Option<IntegrationId>,
    /// Its name for machines, unique in the integration, or among those for all.
    pub key: ViewKey,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The number of its newest revision, from 1.
    pub revision: u32,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

impl ViewKey {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ViewKey {
    type Err = ViewNameFault;

    fn from_str(text: &str) -> Result<ViewKey, ViewNameFault> {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
        if text.is_empty() || text.len() > VIEW_KEY_CHARS_MAX || !text.chars().all(is_sign) {
            return Err(ViewNameFault::NotAKey);
        }
        if View::parse(text).is_some() {
            return Err(ViewNameFault::Reserved);
        }
        Ok(ViewKey(text.to_owned()))
    }
}

impl FromStr for ViewName {
    type Err = ViewNameFault;

    fn from_str(text: &str) -> Result<ViewName, ViewNameFault> {
        if let Some(view) = View::parse(text) {
            return Ok(ViewName::BuiltIn(view));
        }
        let Some((key, revision)) = text.split_once('@') else {
            let key = text.parse()?;
            return Ok(ViewName::Own {
                key,
                revision: None,
            });
        };
        // One spelling for one revision: no sign, no leading zero.
        let number = revision.parse::<u32>().ok();
        let number = number.filter(|number| *number > 0 && number.to_string() == revision);
        Ok(ViewName::Own {
            key: key.parse()?,
            revision: Some(number.ok_or(ViewNameFault::NotARevision)?),
        })
    }
}

impl fmt::Display for ViewKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for ViewName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ViewName::BuiltIn(view) => out.write_str(view.name()),
            ViewName::Own {
                key,
                revision: None,
            } => write!(out, "{key}"),
            ViewName::Own {
                key,
                revision: Some(revision),
            } => write!(out, "{key}@{revision}"),
        }
    }
}

impl TryFrom<String> for ViewKey {
    type Error = ViewNameFault;

    fn try_from(text: String) -> Result<ViewKey, ViewNameFault> {
        text.parse()
    }
}

impl From<ViewKey> for String {
    fn from(key: ViewKey) -> String {
        key.0
    }
}

impl TryFrom<String> for ViewName {
    type Error = ViewNameFault;

    fn try_from(text: String) -> Result<ViewName, ViewNameFault> {
        text.parse()
    }
}

impl From<ViewName> for String {
    fn from(name: ViewName) -> String {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_it_was_read() {
        for text in [
            "order_v2",
            "order_v3",
            "thin",
            "crm",
            "crm@3",
            "a.b:c-D_9@4294967295",
        ] {
            let name: ViewName = text.parse().expect(text);
            assert_eq!(name.to_string(), text);
            assert_eq!(
                matches!(name, ViewName::BuiltIn(_)),
                View::parse(text).is_some()
            );
        }
    }

    #[test]
    fn what_names_no_view_is_refused() {
        for (text, fault) in [
            ("", ViewNameFault::NotAKey),
            ("a b", ViewNameFault::NotAKey),
            ("ä", ViewNameFault::NotAKey),
            ("@1", ViewNameFault::NotAKey),
            ("thin@1", ViewNameFault::Reserved),
            ("crm@", ViewNameFault::NotARevision),
            ("crm@0", ViewNameFault::NotARevision),
            ("crm@01", ViewNameFault::NotARevision),
            ("crm@+1", ViewNameFault::NotARevision),
            ("crm@4294967296", ViewNameFault::NotARevision),
            ("crm@1@2", ViewNameFault::NotARevision),
        ] {
            assert_eq!(text.parse::<ViewName>(), Err(fault), "{text}");
        }
        let longest = "k".repeat(VIEW_KEY_CHARS_MAX);
        assert!(longest.parse::<ViewKey>().is_ok());
        assert_eq!(
            format!("{longest}k").parse::<ViewKey>(),
            Err(ViewNameFault::NotAKey)
        );
        assert_eq!("order_v3".parse::<ViewKey>(), Err(ViewNameFault::Reserved));
    }
}
