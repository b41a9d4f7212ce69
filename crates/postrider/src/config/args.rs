//! The settings as flags, for every command that works on a configuration.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::gather::Given;
use super::setting::{self, Setting};

/// The heading of the settings in the help of a command.
const HEADING: &str = "Settings";

/// What a command line says of the configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigArgs {
    flags: Vec<(&'static Setting, String)>,
    file: Option<PathBuf>,
}

impl ConfigArgs {
    /// With what the environment and the working directory say.
    pub fn with_surroundings(self) -> Given {
        Given {
            flags: self.flags,
            file: self.file,
            environment: std::env::vars_os().collect(),
            folder: PathBuf::new(),
        }
    }
}

impl Args for ConfigArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Configuration file [default: postrider.toml, if there is one]")
            .help_heading(HEADING);
        command.arg(file).args(setting::ALL.map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let default = setting.default.filter(|default| !default.is_empty());
    let default = default.map(|default| format!(" [default: {default}]"));
    let help = format!(
        "{}{} [env: {}]",
        setting.help,
        default.unwrap_or_default(),
        setting.variable()
    );
    // The default is none of clap's: it would hide whether the flag was given.
    Arg::new(setting.word)
        .long(setting.word)
        .value_name(setting.value_name)
        .help(help)
        .help_heading(HEADING)
}

impl FromArgMatches for ConfigArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ConfigArgs, clap::Error> {
        let given = |setting: &'static Setting| {
            let text = matches.get_one::<String>(setting.word)?;
            Some((setting, text.clone()))
        };
        Ok(ConfigArgs {
            flags: setting::ALL.into_iter().filter_map(given).collect(),
            file: matches.get_one::<PathBuf>("config").cloned(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
