//! What can be wrong with a configuration, told with the place and the remedy.

use std::path::PathBuf;

use super::setting::Setting;
use super::source::Place;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A variable with Postrider's prefix that no setting has.
    #[error("environment variable {name} is unknown; {}", remedy(.meant.as_deref()))]
    UnknownVariable {
        /// As it is set.
        name: String,
        /// The nearest known one.
        meant: Option<String>,
    },
    /// A variable whose value is no text.
    #[error("environment variable {name} is not UTF-8; set it to plain text")]
    NotUtf8 {
        /// As it is set.
        name: String,
    },
    /// A key of the file that no setting has.
    #[error("key `{key}` in {} is unknown; {}", .file.display(), remedy(.meant.as_deref()))]
    UnknownKey {
        /// With the table it stands in.
        key: String,
        /// The configuration file.
        file: PathBuf,
        /// The nearest known one.
        meant: Option<String>,
    },
    /// The configuration file cannot be read.
    #[error("the configuration file {} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The configuration file.
        file: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The configuration file is no TOML.
    #[error("the configuration file {} is not TOML: {reason}", .file.display())]
    NotToml {
        /// The configuration file.
        file: PathBuf,
        /// What the parser says.
        reason: Box<toml::de::Error>,
    },
    /// A value that its setting does not take.
    #[error("{place}: {reason}")]
    BadValue {
        /// Where it was given.
        place: Place,
        /// What is wrong, and the remedy. Never holds a secret.
        reason: String,
    },
}

impl ConfigFault {
    /// The unknown variable, with the one that was probably meant.
    pub(super) fn unknown_variable(name: &str, settings: &[&Setting]) -> ConfigFault {
        let known: Vec<String> = settings.iter().map(|setting| setting.variable()).collect();
        let lower: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
        let nearest = contract::nearest(name, lower.iter().map(String::as_str));
        ConfigFault::UnknownVariable {
            name: name.to_owned(),
            meant: nearest.map(str::to_uppercase),
        }
    }

    /// The unknown key, with the one that was probably meant.
    pub(super) fn unknown_key(key: &str, file: PathBuf, settings: &[&Setting]) -> ConfigFault {
        let nearest = contract::nearest(key, settings.iter().map(|setting| setting.key));
        ConfigFault::UnknownKey {
            key: key.to_owned(),
            file,
            meant: nearest.map(|key| format!("`{key}`")),
        }
    }
}

fn remedy(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "remove it, or see `postrider config print` for the settings there are".to_owned(),
    }
}
