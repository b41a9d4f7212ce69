//! What a configuration comes to, and what it is refused for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;

use super::source::Source;
use super::{Config, ConfigArgs, ConfigFault, Given, as_json, as_table, setting};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: ConfigArgs,
}

/// What is given outside, in a folder with this `postrider.toml`.
fn given(
    folder: &TempDir,
    flags: &[&str],
    environment: &[(&str, &str)],
    file: Option<&str>,
) -> Given {
    if let Some(text) = file {
        std::fs::write(folder.path().join("postrider.toml"), text).expect("is written");
    }
    let line = Line::try_parse_from(std::iter::once(&"postrider").chain(flags)).expect("flags");
    let environment = environment.iter();
    Given {
        environment: environment
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        folder: folder.path().to_owned(),
        ..line.config.with_surroundings()
    }
}

fn config(
    flags: &[&str],
    environment: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Config, ConfigFault> {
    let folder = TempDir::new().expect("a folder");
    Config::new(given(&folder, flags, environment, file))
}

fn refusal(flags: &[&str], environment: &[(&str, &str)], file: Option<&str>) -> String {
    let folder = TempDir::new().expect("a folder");
    let fault = Config::new(given(&folder, flags, environment, file)).expect_err("refused");
    fault
        .to_string()
        .replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = config(&[], &[], None).expect("defaults");
    assert_eq!(
        config.data,
        std::path::absolute("postrider-data").expect("a path")
    );
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.log.to_string(), "info");
    assert!(config.egress.allow().is_empty());
    assert_eq!(config.retry, domain::retry::RetryPolicy::default());
    assert_eq!(config.delivery_timeout, Duration::from_secs(15));
    assert_eq!(config.shutdown_grace, Duration::from_secs(30));
    assert_eq!(config.lease, Duration::from_secs(30));
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(config.retention.jobs, 90 * day);
    assert_eq!(config.retention.payloads, None);
    assert_eq!(config.retention.audit_events, 400 * day);
    assert_eq!(config.retention.notifications, 90 * day);
    assert!(config.secret_key.is_none() && config.extra_ca_pem.is_none());
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let flag: &[&str] = &["--listen", "127.0.0.1:1"];
    let environment: &[(&str, &str)] = &[("POSTRIDER_LISTEN", "127.0.0.1:2"), ("PATH", "/bin")];
    let file = Some("listen = \"127.0.0.1:3\"");
    let cases = [
        (flag, environment, file, 1, "flag"),
        (&[], environment, file, 2, "environment"),
        (&[], &[], file, 3, "file"),
        (&[], &[], None, 8080, "default"),
        (flag, &[], None, 1, "flag"),
        (flag, &[], file, 1, "flag"),
    ];
    for (flags, environment, file, port, source) in cases {
        let config = config(flags, environment, file).expect("is good");
        assert_eq!(config.listen.port(), port);
        assert_eq!(config.gathered.source(&setting::LISTEN).name(), source);
    }
}

#[test]
fn a_file_that_is_named_is_read_in_place_of_the_usual_one() {
    let folder = TempDir::new().expect("a folder");
    let named = folder.path().join("other.toml");
    std::fs::write(
        &named,
        "data = \"elsewhere\"\n[egress]\nallow = [\"10.0.0.0/8\", \"::1\"]\n",
    )
    .expect("is written");
    let flags = ["--config", named.to_str().expect("UTF-8")];
    let config =
        Config::new(given(&folder, &flags, &[], Some("data = \"here\""))).expect("is good");
    assert!(config.data.ends_with("elsewhere") && config.data.is_absolute());
    assert_eq!(config.egress.allow().len(), 2);
    assert_eq!(config.gathered.source(&setting::DATA), Source::File(named));
    let missing = refusal(&["--config", "/nowhere/p.toml"], &[], None);
    assert!(
        missing.starts_with("the configuration file /nowhere/p.toml cannot be read: "),
        "{missing}"
    );
}

#[test]
fn every_setting_has_a_flag_a_variable_and_a_key_of_the_same_words() {
    for setting in setting::ALL {
        assert!(setting.variable().starts_with("POSTRIDER_"));
        let key = setting.key.replace(['.', '_'], "-");
        assert!(key.ends_with(setting.word), "{key} {}", setting.word);
        assert!(!setting.help.is_empty());
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    let variable = |name| refusal(&[], &[(name, "x")], None);
    assert_eq!(
        variable("POSTRIDER_LISTN"),
        "environment variable POSTRIDER_LISTN is unknown; did you mean POSTRIDER_LISTEN?"
    );
    assert_eq!(
        variable("POSTRIDER_CONFUSED_FLAG_WITHOUT_A_NEIGHBOUR"),
        "environment variable POSTRIDER_CONFUSED_FLAG_WITHOUT_A_NEIGHBOUR is unknown; remove it, or see \
         `postrider config print` for the settings there are"
    );
    let key = |text| refusal(&[], &[], Some(text));
    assert_eq!(
        key("[retry]\nshedule = \"5s\""),
        "key `retry.shedule` in postrider.toml is unknown; did you mean `retry.schedule`?"
    );
    assert_eq!(
        key("lsten = 1"),
        "key `lsten` in postrider.toml is unknown; did you mean `listen`?"
    );
    let flag = Line::try_parse_from(["postrider", "--lisen", "x"])
        .map(|_| ())
        .expect_err("refused");
    assert!(flag.to_string().contains("'--listen'"), "{flag}");
}

#[test]
fn a_bad_flag_is_refused_with_the_remedy() {
    let cases = [
        (
            ["--listen", "localhost"],
            "`localhost` is no address with a port; write for example 127.0.0.1:8080",
        ),
        (["--data", ""], "is empty; give it a value, or leave it out"),
        (["--delivery-timeout", "2m"], "must be 1s to 60s"),
        (["--retention-jobs", "0s"], "must be 1s to 315360000s"),
        (
            ["--retention-payloads", ""],
            "is empty; give it a value, or leave it out",
        ),
        (
            ["--log", "inffo"],
            "`inffo` is no level; did you mean info?",
        ),
        (
            ["--database-url", "mysql://u:secret@db/p"],
            "is no postgres:// URL; write for example postgres://user:password@host/name",
        ),
    ];
    for (flags, reason) in cases {
        assert_eq!(
            refusal(&flags, &[], None),
            format!("flag {}: {reason}", flags[0])
        );
    }
    let starts = [
        (["--give-up-after", "soon"], ""),
        (["--give-up-after", "0s"], ""),
        (["--retry-schedule", "5s,,6m"], ""),
        (["--retry-schedule", "5s,48h"], ""),
        (
            ["--ca-file", "/nowhere.pem"],
            "the file /nowhere.pem cannot be read: ",
        ),
        (
            ["--secret-key-file", "/nowhere"],
            "the file /nowhere cannot be read: ",
        ),
    ];
    for (flags, start) in starts {
        let message = refusal(&flags, &[], None);
        assert!(
            message.starts_with(&format!("flag {}: {start}", flags[0])),
            "{message}"
        );
    }
}

#[test]
fn a_bad_variable_is_refused_and_a_secret_not_repeated() {
    let cases = [
        (
            ("POSTRIDER_LISTEN", "8080"),
            "`8080` is no address with a port; write for example 127.0.0.1:8080",
        ),
        (
            ("POSTRIDER_DATABASE_URL", "u:secret@db/p"),
            "is no postgres:// URL; write for example postgres://user:password@host/name",
        ),
        (
            ("POSTRIDER_DATABASE_URL", "postgres://u:secret@db/p"),
            "needs the secret key that all nodes of the database share; give it with POSTRIDER_SECRET_KEY",
        ),
        (
            ("POSTRIDER_SECRET_KEY", "hunter2"),
            "a key is 32 bytes in base64; make one with `head -c 32 /dev/urandom | base64`",
        ),
    ];
    for (variable, reason) in cases {
        let expected = format!("environment variable {}: {reason}", variable.0);
        assert_eq!(refusal(&[], &[variable], None), expected);
    }
}

#[test]
fn a_bad_file_is_refused_with_the_key() {
    let cases = [
        (
            "egress = { allow = [\"10.0.0.0/8\", \"lan\"] }",
            "key `egress.allow` in postrider.toml: `lan` is neither an address nor a network; write for \
             example 10.0.0.0/8 or ::1",
        ),
        (
            "data = true",
            "key `data` in postrider.toml: must be a string, or a list of strings; put it in quotes",
        ),
    ];
    for (file, message) in cases {
        assert_eq!(refusal(&[], &[], Some(file)), message);
    }
    let message = refusal(&[], &[], Some("= 7"));
    assert!(
        message.starts_with("the configuration file postrider.toml is not TOML: "),
        "{message}"
    );
}

#[test]
fn the_variables_that_kubernetes_makes_of_a_service_are_passed_over() {
    let links = [
        ("POSTRIDER_SERVICE_HOST", "10.1.2.3"),
        ("POSTRIDER_SERVICE_PORT", "8080"),
        ("POSTRIDER_SERVICE_PORT_HTTP", "8080"),
        ("POSTRIDER_PORT", "tcp://10.1.2.3:8080"),
        ("POSTRIDER_PORT_8080_TCP", "tcp://10.1.2.3:8080"),
        ("POSTRIDER_PORT_8080_TCP_ADDR", "10.1.2.3"),
    ];
    assert!(config(&[], &links, None).is_ok());
    assert!(config(&[], &[("POSTRIDER_PORT", "8080")], None).is_err());
}

#[test]
fn a_key_comes_from_a_value_or_from_a_file_but_not_from_both() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("key");
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    std::fs::write(&file, format!("{text}\n")).expect("is written");
    let path = file.to_str().expect("UTF-8");
    let by_file = config(&["--secret-key-file", path], &[], None).expect("is good");
    let by_value = config(&[], &[("POSTRIDER_SECRET_KEY", text)], None).expect("is good");
    for config in [&by_file, &by_value] {
        let bytes = config.secret_key.as_ref().expect("a key").bytes();
        assert_eq!(bytes.map(usize::from), std::array::from_fn(|index| index));
        assert!(!format!("{config:?}").contains("[0, 1, 2"));
    }
    assert_eq!(
        refusal(
            &["--secret-key-file", path],
            &[("POSTRIDER_SECRET_KEY", text)],
            None
        ),
        "flag --secret-key-file: the key is also given as secret_key; keep one of the two"
    );
    let bad = refusal(&["--secret-key-file", "/nowhere"], &[], None);
    assert!(
        bad.starts_with("flag --secret-key-file: the file /nowhere cannot be read: "),
        "{bad}"
    );
}

#[test]
fn what_is_printed_has_every_setting_its_place_and_no_secret() {
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let environment = [("POSTRIDER_SECRET_KEY", secret), ("POSTRIDER_LOG", "debug")];
    let config =
        config(&["--listen", "[::1]:0"], &environment, Some("data = \"d\"")).expect("is good");
    let (table, json) = (as_table(&config.gathered), as_json(&config.gathered));
    assert!(!table.contains(secret) && !json.to_string().contains(secret));
    for setting in setting::ALL.iter() {
        assert!(json[setting.key]["source"].is_string(), "{}", setting.key);
    }
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for line in [
        vec!["listen", "[::1]:0", "--listen"],
        vec!["log", "debug", "POSTRIDER_LOG"],
        vec!["secret_key", "(secret)", "POSTRIDER_SECRET_KEY"],
        vec!["egress.allow", "none", "default"],
    ] {
        assert!(lines.contains(&line), "{line:?} in\n{table}");
    }
    let file = Path::new(json["data"]["place"].as_str().expect("a place"));
    assert_eq!(file.file_name(), Some("postrider.toml".as_ref()));
    assert_eq!(json["listen"]["source"], "flag");
    assert_eq!(json["secret_key"]["value"], "(secret)");
}

#[test]
fn the_folder_of_data_is_absolute_whatever_was_written() {
    let folder: PathBuf = std::env::current_dir().expect("a folder");
    for (text, path) in [
        ("d", folder.join("d")),
        ("./d", folder.join("d")),
        ("/d", PathBuf::from("/d")),
    ] {
        assert_eq!(
            config(&["--data", text], &[], None).expect("is good").data,
            path
        );
    }
}
