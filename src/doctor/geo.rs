//! Whether the account may call the countries that we may call.

use super::{Finding, Patient, remedy};
use crate::twilio::client::RequestError;

const CHECK: &str = "geo permission";

pub(super) async fn check(patient: &Patient<'_>, iso: &str) -> Finding {
    match patient.client.may_call_country(iso).await {
        Ok(true) => Finding::ok(CHECK, format!("the account may call {iso}")),
        Ok(false) => Finding::failed(
            CHECK,
            format!("the account may not call {iso} (Twilio would refuse with 21215)"),
            format!("Allow {iso} under Voice, Settings, Geo permissions, or take it out of GYMCALL_ALLOWED_REGIONS"),
        ),
        Err(RequestError::NotFound) => Finding::failed(
            CHECK,
            format!("Twilio has no permissions for {iso}"),
            format!("Take {iso} out of GYMCALL_ALLOWED_REGIONS"),
        ),
        Err(error) => Finding::failed(CHECK, &error, remedy(&error)),
    }
}
