//! What an attempt came to, and whose fault it was.

use crate::success_code::SuccessCode;
use crate::webhook_job::AttemptOutcome;

/// So many refusals by the receiver itself let the later jobs of the order pass.
pub const JOB_FAULTS_TO_PASS: u32 = 3;

/// Judges an answer by its status; without an answer, the endpoint is at fault.
///
/// A fault of the *endpoint* says nothing of this payload: others would fare no better now. A fault of the
/// *job* is a refusal of this very payload, which says nothing of the others. 410 says that nothing is wanted any more
/// (RFC 9110 section 15.5.11; Standard Webhooks).
pub fn judge(status: Option<u16>, success: &SuccessCode) -> AttemptOutcome {
    match status {
        Some(status) if success.covers(status) => AttemptOutcome::Delivered,
        Some(410) => AttemptOutcome::Gone,
        // Credentials, route, method, time-out, too early, too many: these are about the endpoint.
        Some(401 | 403 | 404 | 405 | 408 | 425 | 429) => AttemptOutcome::EndpointFault,
        Some(400..=499) => AttemptOutcome::JobFault,
        // 5XX, redirects (which are not followed), a 2XX that is not among the success codes, and odd ones.
        _ => AttemptOutcome::EndpointFault,
    }
}

/// Whether a `Retry-After` of this answer speaks of the whole endpoint, and not of one request (RFC 9110
/// section 10.2.3; RFC 6585 section 4).
pub fn asks_all_to_wait(status: Option<u16>) -> bool {
    matches!(status, Some(429 | 503))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttemptOutcome::{Delivered, EndpointFault, Gone, JobFault};

    #[test]
    fn only_too_many_requests_and_unavailable_speak_of_the_endpoint() {
        let speaking: Vec<u16> = (100..=999)
            .filter(|status| asks_all_to_wait(Some(*status)))
            .collect();
        assert_eq!(speaking, [429, 503]);
        assert!(!asks_all_to_wait(None));
    }

    #[test]
    fn every_status_has_a_verdict() {
        let any = SuccessCode::default();
        let only_202: SuccessCode = "202".parse().expect("a code");
        for status in 100..=999 {
            let expected = match status {
                200..=299 => Delivered,
                410 => Gone,
                401 | 403 | 404 | 405 | 408 | 425 | 429 => EndpointFault,
                400..=499 => JobFault,
                _ => EndpointFault,
            };
            assert_eq!(judge(Some(status), &any), expected, "{status}");
        }
        let cases = [
            (Some(202), Delivered),
            (Some(200), EndpointFault),
            (Some(299), EndpointFault),
            (Some(410), Gone),
            (Some(422), JobFault),
            (None, EndpointFault),
        ];
        for (status, expected) in cases {
            assert_eq!(judge(status, &only_202), expected, "{status:?}");
        }
    }
}
