//! A receiver of webhooks on loopback: keeps what came, answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::wait_for;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no {name}"), |(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// What to answer: given the request and how many came before it.
type Script = dyn Fn(&Received, usize) -> Reply + Send + Sync;

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status and these header lines.
    Status(u16, Vec<String>),
    /// The same, with this body.
    Full(u16, Vec<String>, String),
    /// Never answers, and keeps the connection.
    Silence,
    /// Closes the connection without an answer.
    HangUp,
}

/// See the module.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// A receiver that answers 200 to everything.
    pub fn start() -> Receiver {
        Receiver::scripted(|_, _| Reply::Status(200, Vec::new()))
    }

    /// A receiver that answers as `script` says.
    pub fn scripted(
        script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let received = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let kept = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, received) = (script.clone(), kept.clone());
                std::thread::spawn(move || serve(stream, &*script, &received));
            }
        });
        Receiver { address, received }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    pub fn count(&self) -> usize {
        self.received.lock().expect("no panic").len()
    }

    /// Forgets what has come.
    pub fn forget(&self) {
        self.received.lock().expect("no panic").clear();
    }

    /// Waits until so many have come, and gives them.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        wait_for(&format!("{count} deliveries"), || {
            (self.count() >= count).then(|| self.received())
        })
    }
}

fn serve(stream: TcpStream, script: &Script, received: &Mutex<Vec<Received>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut connection = BufReader::new(stream);
    loop {
        let request = read_request(&mut connection)?;
        let index = {
            let mut received = received.lock().expect("no panic");
            received.push(request.clone());
            received.len() - 1
        };
        match script(&request, index) {
            Reply::HangUp => return None,
            Reply::Silence => loop {
                std::thread::park();
            },
            Reply::Status(status, headers) => {
                answer(connection.get_mut(), status, &headers, "ok")?;
            }
            Reply::Full(status, headers, body) => {
                answer(connection.get_mut(), status, &headers, &body)?;
            }
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, headers: &[String], body: &str) -> Option<()> {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} -\r\n{lines}content-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).ok()
}

fn read_request(connection: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    connection.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length?.1.parse().ok()?];
    connection.read_exact(&mut body).ok()?;
    Some(Received {
        path,
        headers,
        body,
    })
}
