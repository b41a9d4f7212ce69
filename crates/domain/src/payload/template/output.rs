//! Where a template's output goes: JSON, no more than a payload may have.

use std::fmt::{self, Write as _};
use std::io;

use minijinja::value::Value;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State};

use super::PAYLOAD_BYTES_MAX;

/// Bytes up to a limit; the write that would pass it fails.
pub(super) struct Limited {
    bytes: Vec<u8>,
    max: usize,
}

impl Limited {
    pub(super) fn new(max: usize) -> Limited {
        Limited {
            bytes: Vec::new(),
            max,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a value as JSON; what was made JSON before (`tojson`, `safe`, a captured block) goes as it is, and so does text
/// where a template switched `autoescape` off.
///
/// A small value can stand for a huge text, since parts of it may be the same; so each value has the room of
/// a whole payload only, wherever it is printed to.
pub(super) fn write(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let mut print = Print {
        out,
        left: PAYLOAD_BYTES_MAX,
    };
    if let Some(text) = value.as_str().filter(|_| value.is_safe()) {
        return Ok(print.write_str(text)?);
    }
    if matches!(state.auto_escape(), AutoEscape::None) {
        return Ok(write!(print, "{value}")?);
    }
    serde_json::to_writer(print, value).map_err(|error| match error.is_io() {
        true => Error::from(ErrorKind::WriteFailure),
        false => Error::new(ErrorKind::BadSerialization, error.to_string()),
    })
}

/// The output, with the room that is left for one value.
struct Print<'p, 'o> {
    out: &'p mut Output<'o>,
    left: usize,
}

impl fmt::Write for Print<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.out.write_str(text)
    }
}

impl io::Write for Print<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // serde_json writes whole characters only.
        let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let written = self.write_str(text);
        written.map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
