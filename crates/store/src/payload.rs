//! How the bytes of payloads are kept: packed, since most of a payload are the names of its members.
//!
//! A packed body is an LZ4 block made with a dictionary of what payloads are like, so that it is short even for a single
//! small order. The dictionary is part of the format and never changes; another one would be another kind.

use lz4_flex::block;

/// What the standard views make of a sample order.
const DICTIONARY: &[u8] = include_bytes!("payload/dictionary.json");

/// The first byte of what is kept. No JSON begins with one of these, so what earlier versions stored plainly is known by that.
mod kind {
    /// The body follows as it is.
    pub(super) const PLAIN: u8 = 0;
    /// Its length (four bytes, the lowest first) and an LZ4 block follow.
    pub(super) const PACKED: u8 = 1;
}

/// How much longer than an LZ4 block the body may be at most: no byte of a block stands for more.
const BODY_BYTES_PER_BYTE_MAX: usize = 255;

/// Stored bytes that are not what [`pack`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload cannot be unpacked")]
pub struct BrokenPayload;

/// What is stored of a body.
pub fn pack(body: &[u8]) -> Vec<u8> {
    let packed = block::compress_prepend_size_with_dict(body, DICTIONARY);
    let (kind, bytes) = if packed.len() < body.len() {
        (kind::PACKED, packed.as_slice())
    } else {
        (kind::PLAIN, body)
    };
    [&[kind], bytes].concat()
}

/// The body of which `stored` is kept.
///
/// # Errors
/// [`BrokenPayload`].
pub fn unpack(stored: &[u8]) -> Result<Vec<u8>, BrokenPayload> {
    match stored.split_first() {
        Some((&kind::PACKED, packed)) => unpack_block(packed).ok_or(BrokenPayload),
        Some((&kind::PLAIN, body)) => Ok(body.to_owned()),
        _ => Ok(stored.to_owned()),
    }
}

fn unpack_block(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, block) = block::uncompressed_size(packed).ok()?;
    // A broken length takes no memory.
    if length > block.len() * BODY_BYTES_PER_BYTE_MAX {
        return None;
    }
    block::decompress_with_dict(block, length, DICTIONARY).ok()
}

#[cfg(test)]
mod tests {
    use domain::id::IntegrationId;
    use domain::payload::{View, render, sample};
    use domain::time::Moment;
    use domain::webhook_out_sub::Version;

    use super::*;

    fn payload(view: &str) -> Vec<u8> {
        let sample = sample(
            IntegrationId(7),
            Moment::from_microseconds(1_800_000_000_000_000),
        );
        let view = View::parse(view).expect("a view");
        render(view, Version::V3, &sample.facts())
    }

    #[test]
    fn what_is_packed_comes_back() {
        let noise: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let bodies = [
            payload("order_v2"),
            payload("order_v3"),
            payload("thin"),
            noise,
        ];
        let small = [&b"{}"[..], b"", b"\x00", b"\x01", b"\x01\x02"].map(<[u8]>::to_owned);
        for body in bodies.into_iter().chain(small) {
            assert_eq!(unpack(&pack(&body)), Ok(body));
        }
    }

    #[test]
    fn payloads_of_the_standard_views_are_kept_in_little() {
        for view in ["order_v2", "order_v3"] {
            let body = payload(view);
            let kept = pack(&body).len();
            assert!(kept * 5 < body.len(), "{view}: {kept} of {}", body.len());
        }
    }

    #[test]
    fn what_was_stored_plainly_is_read_as_it_is() {
        assert_eq!(unpack(b"{\"a\":1}"), Ok(b"{\"a\":1}".to_vec()));
    }

    #[test]
    fn broken_bytes_are_refused() {
        let packed = pack(&payload("order_v3"));
        for broken in [
            &packed[..packed.len() - 5],
            &packed[..3],
            &[kind::PACKED; 40],
        ] {
            assert_eq!(unpack(broken), Err(BrokenPayload));
        }
    }
}
