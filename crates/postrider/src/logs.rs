//! The log: for people on a terminal, JSON elsewhere; always to standard error, since standard output
//! belongs to what commands print.

use std::fmt;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The levels, for whoever mistypes one.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// What is logged: a level, or levels by module such as `info,delivery=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// A filter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// A word alone that is no level.
    #[error("`{word}` is no level; {}", remedy(.meant.as_deref()))]
    NoLevel {
        /// As it was written.
        word: String,
        /// The nearest level.
        meant: Option<String>,
    },
    /// Something that is not `module=level`.
    #[error(
        "`{directive}` is not understood; write a level, or module=level as in info,delivery=debug"
    )]
    NotUnderstood {
        /// The part between commas.
        directive: String,
    },
}

impl LogFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The first part that is neither a level nor `module=level`. A module alone, which the library's
    /// syntax would take, is refused too: it would silently be everything that a mistyped level logs.
    pub fn parse(text: &str) -> Result<LogFilter, LogFault> {
        for directive in text.split(',').map(str::trim) {
            check(directive)?;
        }
        Ok(LogFilter(text.to_owned()))
    }

    fn to_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn check(directive: &str) -> Result<(), LogFault> {
    let level = directive
        .rsplit_once('=')
        .map_or(directive, |(_, level)| level);
    if !LEVELS.contains(&level.to_lowercase().as_str()) {
        let meant = contract::nearest(level, LEVELS).map(str::to_owned);
        return Err(LogFault::NoLevel {
            word: level.to_owned(),
            meant,
        });
    }
    EnvFilter::try_new(directive).map_err(|_| LogFault::NotUnderstood {
        directive: directive.to_owned(),
    })?;
    Ok(())
}

fn remedy(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("write one of {}", LEVELS.join(", ")),
    }
}

/// Starts to log. Once in a process; a second call changes nothing.
pub fn start(filter: &LogFilter) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter.to_filter())
        .with_writer(std::io::stderr);
    // Only fails where a log was started before, which then goes on.
    let _ = match std::io::stderr().is_terminal() {
        true => log.try_init(),
        false => log.json().flatten_event(true).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_module_are_filters() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,delivery=debug",
            "warn, egress::pool=trace",
            "info,a[span]=debug",
        ] {
            let filter = LogFilter::parse(text).expect(text);
            assert_eq!(filter.to_string(), text);
        }
    }

    #[test]
    fn a_bad_filter_is_refused_with_the_remedy() {
        let cases = [
            ("inffo", "`inffo` is no level; did you mean info?"),
            (
                "info,delivery",
                "`delivery` is no level; write one of error, warn, info, debug, trace, off",
            ),
            (
                "info,delivery=debg",
                "`debg` is no level; did you mean debug?",
            ),
            (
                "3",
                "`3` is no level; write one of error, warn, info, debug, trace, off",
            ),
            (
                "",
                "`` is no level; write one of error, warn, info, debug, trace, off",
            ),
            (
                "a[b=info",
                "`a[b=info` is not understood; write a level, or module=level as in info,delivery=debug",
            ),
        ];
        for (text, message) in cases {
            let fault = LogFilter::parse(text).expect_err(text);
            assert_eq!(fault.to_string(), message);
        }
    }
}
