//! Whether calls may come from the number in the settings, and to whom a trial account may call.

use super::{Finding, Patient, remedy};
use crate::twilio::client::RequestError;

const CHECK: &str = "number";

/// The number is the account's own and can call, or it is verified.
pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    vec![judge(patient).await.unwrap_or_else(|error| Finding::failed(CHECK, &error, remedy(&error)))]
}

async fn judge(patient: &Patient<'_>) -> Result<Finding, RequestError> {
    let number = patient.caller();
    let owned = patient.client.owned_numbers(Some(number)).await?;
    if let Some(own) = owned.iter().find(|own| own.phone_number == number) {
        return Ok(if own.capabilities.voice {
            Finding::ok(CHECK, format!("{number} is the account's own and can call"))
        } else {
            let mend =
                "Get a number with the capability \"Voice\" in Twilio's console, and set TWILIO_FROM_NUMBER to it";
            Finding::failed(CHECK, format!("{number} is the account's own and cannot call"), mend)
        });
    }
    if patient.client.verified_numbers(Some(number)).await?.iter().any(|verified| verified == number) {
        return Ok(Finding::ok(CHECK, format!("{number} is a verified caller id")));
    }
    let has = patient.client.owned_numbers(None).await?;
    let has: Vec<&str> = has.iter().filter(|own| own.capabilities.voice).map(|own| own.phone_number.as_str()).collect();
    Ok(if !has.is_empty() {
        let mend = format!("Set TWILIO_FROM_NUMBER to one that is: {}", has.join(", "));
        Finding::failed(CHECK, format!("{number} is not a number of this account"), mend)
    } else if patient.is_local() {
        let mend = "Nothing to do here; the real Twilio calls from numbers of yours only";
        Finding::warning(CHECK, "the local Twilio has no numbers of its own, and lets any call", mend)
    } else {
        let mend = "Get a number with the capability \"Voice\" in Twilio's console, and set TWILIO_FROM_NUMBER to it";
        Finding::failed(CHECK, format!("the account has no number that can call, and {number} is not verified"), mend)
    })
}

/// A trial account calls verified numbers only: which ones those are.
pub(super) async fn trial(patient: &Patient<'_>) -> Finding {
    const TRIAL: &str = "trial";
    let verified = match patient.client.verified_numbers(None).await {
        Ok(verified) => verified,
        Err(error) => return Finding::failed(TRIAL, &error, remedy(&error)),
    };
    let mend =
        "Verify your own number under Phone Numbers, Verified Caller IDs, in Twilio's console, or upgrade the account";
    if verified.is_empty() {
        return Finding::failed(TRIAL, "a trial account calls verified numbers only, and has none", mend);
    }
    let known = format!("a trial account calls verified numbers only: {}", verified.join(", "));
    match patient.phone {
        Some(phone) if !verified.iter().any(|verified| verified == phone.as_str()) => {
            Finding::failed(TRIAL, format!("{known}; {phone} is not among them"), mend)
        }
        _ => Finding::warning(
            TRIAL,
            format!("{known}. Before the agent speaks, Twilio says that it is a trial, and waits for a key"),
            "Upgrade the account to call anybody else",
        ),
    }
}
