//! The headers of a subscription at rest: sealed as they are sent, and masked as they are shown.

use std::sync::Arc;

use domain::callback_header::CallbackHeader;
use serde::Serialize;

use crate::error::StoreError;
use crate::seal::SecretKey;

/// Where headers are sealed for.
const PLACE: &str = "webhook_out_subs.headers";

/// A header with its value, which it does not show by itself.
#[derive(Serialize)]
struct Kept<'a> {
    name: &'a str,
    value: &'a str,
    secret: bool,
}

/// As they are shown.
pub fn shown(headers: &[CallbackHeader]) -> Vec<CallbackHeader> {
    headers.iter().map(CallbackHeader::shown).collect()
}

/// As the table has them; nothing where there are none.
///
/// # Errors
/// When the system gives no randomness.
pub fn seal(key: &SecretKey, headers: &[CallbackHeader]) -> Result<Option<Vec<u8>>, StoreError> {
    if headers.is_empty() {
        return Ok(None);
    }
    let kept = headers.iter().map(|header| {
        let (name, value, secret) = header.kept();
        Kept {
            name,
            value,
            secret,
        }
    });
    let json = serde_json::to_vec(&kept.collect::<Vec<_>>())?;
    Ok(Some(key.seal(PLACE, &json)?))
}

/// What [`seal`] made.
///
/// # Errors
/// When it was sealed with another key, or changed.
pub fn open(key: &SecretKey, sealed: Option<Vec<u8>>) -> Result<Arc<[CallbackHeader]>, StoreError> {
    let Some(sealed) = sealed else {
        return Ok(Arc::default());
    };
    let headers: Vec<CallbackHeader> = serde_json::from_slice(&key.open(PLACE, &sealed)?)?;
    Ok(headers.into())
}
