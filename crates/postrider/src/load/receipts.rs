//! What a batch was answered with: a code for each of its changes, though the whole says 200.

use http::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Receipt>,
}

#[derive(Deserialize)]
struct Receipt {
    code: u16,
}

/// The code of each of `count` changes; that of the answer where it is not 200, and none where receipts
/// are missing.
pub fn codes(status: StatusCode, body: &[u8], count: usize) -> Option<Vec<u16>> {
    if status != StatusCode::OK {
        return Some(vec![status.as_u16(); count]);
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let codes: Vec<u16> = answer.data.iter().map(|receipt| receipt.code).collect();
    (codes.len() == count).then_some(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_has_a_code_or_the_answer_is_no_good() {
        let good =
            br#"{"code":200,"data":[{"code":200,"data":{"id":1}},{"code":400,"errors":[]}]}"#;
        let short = br#"{"data":[{"code":200}]}"#;
        let cases = [
            (200, good.as_slice(), Some(vec![200, 400])),
            (200, short, None),
            (200, b"none", None),
            (503, b"none", Some(vec![503, 503])),
        ];
        for (status, body, expected) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(codes(status, body, 2), expected);
        }
    }
}
