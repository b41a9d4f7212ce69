//! Passwords: argon2id (RFC 9106), away from the threads that answer requests.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use store::StoreError;
use tokio::sync::Semaphore;

use crate::denied::Denied;

/// Memory of one hash in KiB, passes over it and lanes: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes that are computed at once: each takes a core for some 20 ms, and requests need one too.
const AT_ONCE_MAX: usize = 2;
/// Length of a salt in bytes (RFC 9106 section 3.1).
const SALT_BYTES: usize = 16;

/// Computes hashes, a few at a time.
pub(crate) struct Passwords {
    permits: Semaphore,
    /// Checked against where there is no user or no password, so that the answer takes as long.
    nobodys: String,
}

impl Passwords {
    pub(crate) fn new() -> Passwords {
        Passwords {
            permits: Semaphore::new(AT_ONCE_MAX),
            nobodys: nobodys(),
        }
    }

    /// The hash of a new password, in the PHC string format.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Denied> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(failed)?;
        self.compute(move || hash(password.as_bytes(), &salt))
            .await?
            .map_err(failed)
    }

    /// Whether the password is the one that was hashed; takes as long where there is no hash.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Denied> {
        let is_somebody = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let verified = self
            .compute(move || {
                let hash = PasswordHash::new(&hash)?;
                argon2().verify_password(password.as_bytes(), &hash)
            })
            .await?;
        match verified {
            Ok(()) => Ok(is_somebody),
            Err(argon2::password_hash::Error::Password) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Denied> {
        let _permit = self.permits.acquire().await.map_err(failed)?;
        tokio::task::spawn_blocking(work).await.map_err(failed)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8], salt: &[u8]) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(salt)?;
    Ok(argon2().hash_password(password, &salt)?.to_string())
}

/// A hash of no password that is known, with the cost of any other. Written and not computed: that would take 20 ms and
/// [`MEMORY_KIB`] of each start.
fn nobodys() -> String {
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")
}

fn failed(error: impl ToString) -> Denied {
    Denied::Store(StoreError::Failed(format!(
        "a password cannot be hashed: {}",
        error.to_string()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_costs_what_others_do() {
        let (nobodys, other) = (nobodys(), hash(b"a", &[1; SALT_BYTES]).expect("a hash"));
        let (nobodys, other) = (PasswordHash::new(&nobodys), PasswordHash::new(&other));
        let (nobodys, other) = (nobodys.expect("is well formed"), other.expect("a hash"));
        assert_eq!(nobodys.algorithm, other.algorithm);
        assert_eq!(nobodys.version, other.version);
        assert_eq!(nobodys.params, other.params);
        let length = |hash: &PasswordHash<'_>| hash.hash.map(|output| output.len());
        assert_eq!(length(&nobodys), length(&other));
        let salt = |hash: &PasswordHash<'_>| hash.salt.map(|salt| salt.as_str().len());
        assert_eq!(salt(&nobodys), salt(&other));
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_one() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await;
        let hash = hash.expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let again = passwords.hash("correct horse".to_owned()).await;
        assert_ne!(again.expect("a hash"), hash);
        let cases = [
            ("correct horse", Some(hash.clone()), true),
            ("Correct horse", Some(hash), false),
            ("nobody's", None, false),
            ("", None, false),
        ];
        for (password, hash, expected) in cases {
            let verified = passwords.verify(password.to_owned(), hash).await;
            assert_eq!(verified, Ok(expected), "{password}");
        }
    }
}
