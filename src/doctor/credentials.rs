//! Whether Twilio knows the account and its tokens.

use jiff::Timestamp;

use super::{Finding, Patient, clock, remedy};
use crate::twilio::client::{AccountRecord, RequestError};
use crate::twilio::refusal::Refusal;

const CHECK: &str = "credentials";

/// The account, if Twilio lets us in; with it the clock, because the same reply shows it.
pub(super) async fn check(patient: &Patient<'_>) -> (Vec<Finding>, Option<AccountRecord>) {
    let asked = Timestamp::now();
    let (account, theirs) = match patient.client.account().await {
        Ok(answered) => answered,
        Err(error) => {
            let error = match error {
                RequestError::NotFound => return (vec![unknown_account()], None),
                error => error,
            };
            return (vec![Finding::failed(CHECK, &error, remedy(&error))], None);
        }
    };
    let mut findings = vec![standing(&account)];
    findings.extend(secondary(patient).await);
    findings.push(clock::check(theirs, asked, Timestamp::now()));
    (findings, Some(account))
}

fn unknown_account() -> Finding {
    Finding::failed(CHECK, "Twilio has no such account", "Set TWILIO_ACCOUNT_SID as Twilio's console shows it")
}

fn standing(account: &AccountRecord) -> Finding {
    let AccountRecord { status, kind, friendly_name } = account;
    let name = friendly_name.as_deref().unwrap_or("without a name");
    let detail = format!("account {name:?}, {status}, {kind}");
    if status == "active" {
        Finding::ok(CHECK, detail)
    } else {
        Finding::failed(CHECK, detail, "Only an active account can call: look at it in Twilio's console")
    }
}

async fn secondary(patient: &Patient<'_>) -> Option<Finding> {
    let token = patient.settings.twilio.as_ref()?.secondary_token.clone()?;
    Some(match patient.client.with_token(token).account().await {
        Ok(_) => Finding::ok("secondary token", "Twilio accepts it; webhooks signed with either are believed"),
        Err(RequestError::Refused(Refusal::BadCredentials { .. })) => Finding::warning(
            "secondary token",
            "Twilio does not accept it, and webhooks signed with it are believed all the same",
            "Create the secondary token in Twilio's console, or leave TWILIO_AUTH_TOKEN_SECONDARY empty",
        ),
        Err(error) => Finding::warning("secondary token", &error, remedy(&error)),
    })
}
