//! Styles, script and icon: embedded, and served under names that change with their content, so that browsers
//! may keep them for good.

use std::sync::LazyLock;

use bytes::Bytes;
use http::Response;
use sha2::{Digest, Sha256};

use crate::respond::content;

/// How long a browser keeps what never changes: a year, the longest that is usual.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Bytes of the hash in a name: enough that two versions never share one.
const HASH_BYTES: usize = 6;

/// A file that pages refer to.
pub(crate) struct Asset {
    /// With the hash.
    name: String,
    content_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, text: &'static str) -> Asset {
        let hash = Sha256::digest(text);
        let hash: String = hash
            .iter()
            .take(HASH_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Asset {
            name: format!("{stem}-{hash}.{extension}"),
            content_type,
            text,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

pub(crate) static STYLES: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/app.css");
    Asset::new("app", "css", "text/css; charset=utf-8", text)
});
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/app.js");
    Asset::new("app", "js", "text/javascript; charset=utf-8", text)
});
/// Small, and in the head: sets the chosen theme before anything is painted.
pub(crate) static THEME: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/theme.js");
    Asset::new("theme", "js", "text/javascript; charset=utf-8", text)
});
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", text)
});

/// The asset of this name.
pub(crate) fn find(name: &str) -> Option<Response<Bytes>> {
    let asset = [&STYLES, &SCRIPT, &THEME, &ICON]
        .into_iter()
        .find(|asset| asset.name == name)?;
    let bytes = Bytes::from_static(asset.text.as_bytes());
    Some(content(bytes, asset.content_type, FOR_GOOD))
}
