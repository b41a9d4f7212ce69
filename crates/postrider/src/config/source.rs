//! Where the value of a setting comes from.

use std::fmt;
use std::path::PathBuf;

use super::setting::Setting;

/// Where a value was given; later ones win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: what is built in applies.
    Default,
    /// In this configuration file.
    File(PathBuf),
    /// In the environment.
    Environment,
    /// On the command line.
    Flag,
}

impl Source {
    /// The name for machines.
    pub const fn name(&self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::File(_) => "file",
            Source::Environment => "environment",
            Source::Flag => "flag",
        }
    }
}

/// A setting at a source, as people are told of it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which setting.
    pub setting: &'static Setting,
    /// Where it was given.
    pub source: Source,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default => write!(out, "default of {}", self.setting.flag()),
            Source::File(file) => write!(out, "key `{}` in {}", self.setting.key, file.display()),
            Source::Environment => write!(out, "environment variable {}", self.setting.variable()),
            Source::Flag => write!(out, "flag {}", self.setting.flag()),
        }
    }
}
