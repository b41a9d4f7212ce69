//! A small blocking HTTP client, so that the tests owe nothing to the code they test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::{PATIENCE, contract};

/// A kept connection, reopened when it breaks.
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status of the API's envelope, checked against the HTTP status.
    pub fn status(&self) -> String {
        let body = self.json();
        assert_eq!(body["code"], self.code, "{body}");
        assert!(self.header("x-request-id").is_some(), "{body}");
        body["status"].as_str().expect("a status").to_owned()
    }

    /// The places that `errors` names.
    pub fn attrs(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().expect("errors");
        errors
            .iter()
            .map(|error| error["attr"].as_str().expect("attr").to_owned())
            .collect()
    }

    /// The data of a success.
    pub fn data(&self) -> Value {
        assert_eq!(self.status(), "action-successful", "{}", self.text);
        self.json()["data"].clone()
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client {
            address,
            connection: None,
        }
    }

    /// Sends a request; `None` where the connection broke before the answer was whole.
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address).ok()?;
                stream.set_nodelay(true).ok()?;
                stream.set_read_timeout(Some(PATIENCE)).ok()?;
                BufReader::new(stream)
            }
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let stream = connection.get_mut();
        stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        let answer = read_answer(&mut connection)?;
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        contract::check(method, path, &answer);
        Some(answer)
    }

    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        // A kept connection may have been closed while it was idle.
        if self.connection.is_some()
            && let Some(answer) = self.try_send(method, path, headers, body)
        {
            return answer;
        }
        let answer = self.try_send(method, path, headers, body);
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }
}

fn read_answer(connection: &mut BufReader<TcpStream>) -> Option<Answer> {
    let mut line = String::new();
    connection.read_line(&mut line).ok()?;
    let code = line.split(' ').nth(1)?.parse().ok()?;
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
    let mut body = vec![0; length.map_or(Some(0), |(_, value)| value.parse().ok())?];
    connection.read_exact(&mut body).ok()?;
    Some(Answer {
        code,
        headers,
        text: String::from_utf8(body).ok()?,
    })
}
