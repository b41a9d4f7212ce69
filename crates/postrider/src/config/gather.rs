//! The layers: flags over environment over file over defaults, each checked for unknown names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::fault::ConfigFault;
use super::setting::{self, Setting, VARIABLE_PREFIX};
use super::source::{Place, Source};

/// The configuration file that is read when none is named.
pub const FILE_DEFAULT: &str = "postrider.toml";
/// Largest configuration file in bytes; it holds a dozen lines.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is given outside, before anything is parsed.
#[derive(Debug, Default)]
pub struct Given {
    /// From the command line.
    pub flags: Vec<(&'static Setting, String)>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// Where [`FILE_DEFAULT`] is looked for.
    pub folder: PathBuf,
}

/// The text of every setting that has one, and where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    values: BTreeMap<&'static str, (String, Source)>,
}

impl Gathered {
    /// Puts the layers over one another.
    ///
    /// # Errors
    /// The first unknown name, unreadable file or refused setting.
    pub fn new(given: Given) -> Result<Gathered, ConfigFault> {
        let mut gathered = Gathered::default();
        for setting in setting::ALL {
            if let Some(default) = setting.default {
                gathered.put(setting, default.to_owned(), Source::Default);
            }
        }
        if let Some(file) = given.file.or_else(|| default_file(&given.folder)) {
            gathered.put_file(&file)?;
        }
        gathered.put_environment(given.environment)?;
        for (setting, text) in given.flags {
            gathered.put(setting, text, Source::Flag);
        }
        Ok(gathered)
    }

    /// The text of a setting, if it has one.
    pub fn text(&self, setting: &Setting) -> Option<&str> {
        let (text, _) = self.values.get(setting.key)?;
        Some(text)
    }

    /// Where the value of a setting comes from.
    pub fn source(&self, setting: &Setting) -> Source {
        let value = self.values.get(setting.key);
        value.map_or(Source::Default, |(_, source)| source.clone())
    }

    /// The fault that this setting's value is bad.
    pub fn bad(&self, setting: &'static Setting, reason: impl ToString) -> ConfigFault {
        bad(setting, self.source(setting), reason)
    }

    fn put(&mut self, setting: &'static Setting, text: String, source: Source) {
        self.values.insert(setting.key, (text, source));
    }

    fn put_environment(
        &mut self,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<(), ConfigFault> {
        for (name, value) in environment {
            let Some(name) = name
                .to_str()
                .filter(|name| name.starts_with(VARIABLE_PREFIX))
            else {
                continue;
            };
            let value = value.into_string().map_err(|_| ConfigFault::NotUtf8 {
                name: name.to_owned(),
            })?;
            if is_service_link(name, &value) {
                continue;
            }
            let setting = setting::ALL
                .into_iter()
                .find(|setting| setting.variable() == name);
            let setting =
                setting.ok_or_else(|| ConfigFault::unknown_variable(name, &setting::ALL))?;
            self.put(setting, value, Source::Environment);
        }
        Ok(())
    }

    fn put_file(&mut self, file: &Path) -> Result<(), ConfigFault> {
        for (key, value) in flatten(read(file)?) {
            let setting = setting::ALL.into_iter().find(|setting| setting.key == key);
            let setting = setting
                .ok_or_else(|| ConfigFault::unknown_key(&key, file.to_owned(), &setting::ALL))?;
            let source = Source::File(file.to_owned());
            let text = text(value).map_err(|reason| bad(setting, source.clone(), reason))?;
            self.put(setting, text, source);
        }
        Ok(())
    }
}

fn bad(setting: &'static Setting, source: Source, reason: impl ToString) -> ConfigFault {
    ConfigFault::BadValue {
        place: Place { setting, source },
        reason: reason.to_string(),
    }
}

fn default_file(folder: &Path) -> Option<PathBuf> {
    // As it is told to people: without the folder they are in.
    let file = folder.join(FILE_DEFAULT);
    file.exists().then_some(file)
}

fn read(file: &Path) -> Result<toml::Table, ConfigFault> {
    let unreadable = |reason| ConfigFault::Unreadable {
        file: file.to_owned(),
        reason,
    };
    if std::fs::metadata(file).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    text.parse().map_err(|reason| ConfigFault::NotToml {
        file: file.to_owned(),
        reason: Box::new(reason),
    })
}

/// The entries of all tables under keys such as `egress.allow`.
fn flatten(table: toml::Table) -> Vec<(String, toml::Value)> {
    let mut entries = Vec::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => {
                let inner = flatten(inner).into_iter();
                entries.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => entries.push((key, value)),
        }
    }
    entries
}

/// A value of the file as a flag would have it; a list is joined with commas.
fn text(value: toml::Value) -> Result<String, &'static str> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Array(values) => {
            let texts: Result<Vec<String>, _> = values.into_iter().map(text).collect();
            Ok(texts?.join(","))
        }
        _ => Err("must be a string, or a list of strings; put it in quotes"),
    }
}

/// Kubernetes sets such variables in every container beside a Service that is named `postrider`;
/// nobody wrote them.
fn is_service_link(name: &str, value: &str) -> bool {
    let rest = name.trim_start_matches(VARIABLE_PREFIX);
    let is_port = rest == "PORT" || rest.starts_with("PORT_");
    rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || (is_port && (rest.len() > "PORT".len() || value.contains("://")))
}
