//! The snippets that the pages show for verifying a signature, run in their own languages against a delivery, and against what is
//! like one and must be refused. A language that is not on the machine is skipped, and the output says so.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::SigningKeys;
use domain::time::Moment;
use serde_json::{Value, json};

use crate::harness::{Receiver, Server};

#[expect(
    clippy::disallowed_methods,
    reason = "as whoever copies it would write it"
)]
#[path = "../../../dashboard/src/snippets/verify.rs"]
mod verify;

/// A language: its programs, where one may be, and the file that the snippet is put into, with what reads the cases and says of each
/// whether it is genuine.
struct Language {
    name: &'static str,
    programs: &'static [&'static str],
    arguments: &'static [&'static str],
    snippet: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const LANGUAGES: [Language; 5] = [
    Language {
        name: "Python",
        programs: &["python3"],
        arguments: &["main.py"],
        snippet: "verify.py",
        files: &[(
            "main.py",
            "import json, sys\nfrom verify import verify\nfor g in json.load(sys.stdin):\n    \
             print(verify(g['secret'], g['headers'], g['body'].encode()))\n",
        )],
    },
    Language {
        name: "Node",
        // The browser's driver brings one along.
        programs: &[
            "node",
            "../../.venv/lib/*/site-packages/playwright/driver/node",
        ],
        arguments: &["main.mjs"],
        snippet: "verify.mjs",
        files: &[(
            "main.mjs",
            "import { readFileSync } from 'node:fs';\nimport { verify } from './verify.mjs';\n\
             for (const g of JSON.parse(readFileSync(0))) console.log(verify(g.secret, g.headers, Buffer.from(g.body)));\n",
        )],
    },
    Language {
        name: "Ruby",
        programs: &["ruby"],
        arguments: &["main.rb"],
        snippet: "verify.rb",
        files: &[(
            "main.rb",
            "require 'json'\nrequire_relative 'verify'\n\
             JSON.parse(STDIN.read).each { |g| puts verify(g['secret'], g['headers'], g['body']) }\n",
        )],
    },
    Language {
        name: "PHP",
        programs: &["php"],
        arguments: &["main.php"],
        snippet: "verify.php",
        files: &[(
            "main.php",
            "<?php\nrequire 'verify.php';\nforeach (json_decode(file_get_contents('php://stdin'), true) as $g) {\n    \
             echo verify($g['secret'], $g['headers'], $g['body']) ? 'true' : 'false', \"\\n\";\n}\n",
        )],
    },
    Language {
        name: "Go",
        programs: &["go"],
        arguments: &["run", "."],
        snippet: "webhook/verify.go",
        files: &[
            ("go.mod", "module example.com/receiver\n"),
            (
                "main.go",
                "package main\n\nimport (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"net/http\"\n\t\"os\"\n\n\t\"example.com/receiver/webhook\"\n)\n\n\
                 func main() {\n\tvar all []struct {\n\t\tSecret, Body string\n\t\tHeaders map[string]string\n\t}\n\
                 \tif err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {\n\t\tpanic(err)\n\t}\n\
                 \tfor _, g := range all {\n\t\theaders := http.Header{}\n\t\tfor name, value := range g.Headers {\n\
                 \t\t\theaders.Set(name, value)\n\t\t}\n\t\tfmt.Println(webhook.Verify(g.Secret, headers, []byte(g.Body)))\n\t}\n}\n",
            ),
        ],
    },
];

/// A request, and whether it is genuine.
struct Case {
    what: &'static str,
    request: Value,
    is_genuine: bool,
}

/// A delivery, as the snippets are given it.
fn delivered() -> Value {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let receiver = Receiver::start();
    let sub = server.subscribe(integration, "crm", &receiver.url("/crm"));
    server.report(integration, "A-1 ü", "scheduled");
    let delivery = receiver.wait_for(1).remove(0);
    let body = String::from_utf8(delivery.body.clone()).expect("JSON");
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: BTreeMap<&str, &str> = names.map(|name| (name, delivery.header(name))).into();
    json!({ "secret": sub["signing_secret"], "headers": headers, "body": body })
}

const ID: &str = "/headers/webhook-id";
const TIMESTAMP: &str = "/headers/webhook-timestamp";
const SIGNATURE: &str = "/headers/webhook-signature";

/// A delivery, and what differs from it.
fn cases() -> Vec<Case> {
    let delivery = delivered();
    let known = |place: &str| {
        delivery
            .pointer(place)
            .and_then(Value::as_str)
            .expect("text")
    };
    let (secret, body, signature) = (known("/secret"), known("/body"), known(SIGNATURE));
    let seconds: i64 = known(TIMESTAMP).parse().expect("a number");
    // The same, signed at another moment.
    let moved = |by: i64| {
        let at = Moment::from_microseconds((seconds + by) * 1_000_000);
        let signed = signed(secret, at, known(ID), body);
        vec![
            (TIMESTAMP, signed.timestamp.to_string()),
            (SIGNATURE, signed.signature),
        ]
    };
    let several = format!("v1,AAAA v1a,BBBB {signature}");
    let another = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let changes = [
        ("the delivery", true, vec![]),
        ("a minute old", true, moved(-60)),
        ("an hour old", false, moved(-3_600)),
        ("of an hour to come", false, moved(3_600)),
        ("several signatures", true, vec![(SIGNATURE, several)]),
        ("another body", false, vec![("/body", format!("{body} "))]),
        (
            "another secret",
            false,
            vec![("/secret", another.to_owned())],
        ),
        ("another id", false, vec![(ID, "msg_1".to_owned())]),
        (
            "another second",
            false,
            vec![(TIMESTAMP, (seconds - 1).to_string())],
        ),
        ("no number", false, vec![(TIMESTAMP, "soon".to_owned())]),
        ("no signature", false, vec![(SIGNATURE, String::new())]),
        (
            "no version",
            false,
            vec![(SIGNATURE, signature.replace("v1,", ""))],
        ),
        (
            "half a signature",
            false,
            vec![(SIGNATURE, signature[..30].to_owned())],
        ),
        (
            "nothing in ASCII",
            false,
            vec![(SIGNATURE, "v1,ü".to_owned())],
        ),
    ];
    let case = |(what, is_genuine, changes): (&'static str, bool, Vec<(&str, String)>)| {
        let mut request = delivery.clone();
        for (place, text) in changes {
            *request.pointer_mut(place).expect("a place") = json!(text);
        }
        Case {
            what,
            request,
            is_genuine,
        }
    };
    let mut cases: Vec<Case> = changes.map(case).into();
    let mut bare = delivery.clone();
    bare["headers"] = json!({});
    cases.push(Case {
        what: "no headers",
        request: bare,
        is_genuine: false,
    });
    cases
}

fn signed(secret: &str, at: Moment, webhook_id: &str, body: &str) -> domain::signature::Signed {
    let secrets = SigningSecrets {
        current: secret.parse::<SigningSecret>().expect("a secret"),
        previous: None,
        keys: SigningKeys::default(),
    };
    sign(&secrets, at, webhook_id, body.as_bytes())
}

/// The program of a language, if the machine has one.
fn program(language: &Language) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut known = Vec::new();
    for name in language.programs {
        match name.split_once('*') {
            // One folder whose name is not known beforehand.
            Some((before, after)) => {
                let inside = std::fs::read_dir(root.join(before)).into_iter().flatten();
                known.extend(
                    inside
                        .flatten()
                        .map(|entry| entry.path().join(after.trim_start_matches('/'))),
                );
            }
            None => known.extend(std::env::split_paths(&folders).map(|folder| folder.join(name))),
        }
    }
    known.into_iter().find(|path| path.is_file())
}

/// What the snippet says of each case.
fn told(language: &Language, program: &Path, cases: &Value) -> Vec<bool> {
    let folder = tempfile::tempdir().expect("a folder");
    let snippets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/src/snippets");
    let name = Path::new(language.snippet).file_name().expect("a name");
    let snippet = std::fs::read_to_string(snippets.join(name)).expect("a snippet");
    for (path, text) in [(language.snippet, snippet.as_str())]
        .iter()
        .chain(language.files)
    {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let mut run = Command::new(program)
        .args(language.arguments)
        .current_dir(folder.path())
        .env("GOCACHE", folder.path().join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = run.stdin.take().expect("piped");
    stdin.write_all(cases.to_string().as_bytes()).expect("read");
    drop(stdin);
    let output = run.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", language.name);
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines()
        .map(|line| line.trim().eq_ignore_ascii_case("true"))
        .collect()
}

#[test]
fn every_snippet_takes_deliveries_and_refuses_all_else() {
    let cases = cases();
    let requests: Value = cases.iter().map(|case| case.request.clone()).collect();
    for case in &cases {
        let headers = &case.request["headers"];
        let secret = case.request["secret"].as_str().expect("a secret");
        let body = case.request["body"].as_str().expect("a body");
        let is_genuine = verify::verify(secret, |name| headers[name].as_str(), body.as_bytes());
        assert_eq!(is_genuine.is_some(), case.is_genuine, "Rust: {}", case.what);
    }
    for language in &LANGUAGES {
        let Some(program) = program(language) else {
            println!("SKIPPED: {} is not on this machine", language.name);
            continue;
        };
        println!("{}: {}", language.name, program.display());
        let told = told(language, &program, &requests);
        assert_eq!(told.len(), cases.len(), "{}", language.name);
        for (case, is_genuine) in cases.iter().zip(told) {
            assert_eq!(
                is_genuine, case.is_genuine,
                "{}: {}",
                language.name, case.what
            );
        }
    }
}
