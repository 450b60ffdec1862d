//! How a delivery proves where it comes from: the headers of the Standard Webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gymcall_jobs::endpoint::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret, from 256 bits of chance, which must come from a cryptographic source.
pub fn secret(chance: &[u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(chance)))
}

/// The value of `webhook-signature` for a body that is sent at a time, in seconds since 1970.
pub fn sign(secret: &Secret, id: &str, seconds: i64, body: &str) -> Result<String, String> {
    let encoded = secret.expose().strip_prefix(PREFIX).unwrap_or(secret.expose());
    let key = STANDARD.decode(encoded).map_err(|error| format!("the endpoint's secret: {error}"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // Computed apart from this code: hmac.new(b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), …, sha256).
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_carries_its_chance() {
        let secret = secret(&[7; 32]);
        let encoded = secret.expose().strip_prefix("whsec_").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), [7; 32]);
    }
}
