//! `gymcall doctor`: looks at everything that a real call needs, and says how to mend what is wrong.
//!
//! Each check is a small function that asks one thing and makes [`Finding`]s of the answer. Nothing is changed anywhere,
//! nobody is called, and no finding shows a secret.

mod clock;
mod cost;
mod credentials;
mod finding;
mod geo;
mod limits;
mod number;
mod public_url;
mod store;

use std::sync::Arc;

use gymcall_jobs::phone::PhoneNumber;

use crate::app;
use crate::config::{Settings, is_loopback};
use crate::twilio::client::{Client, RequestError};
pub use finding::{Finding, Verdict};

/// Looks at everything. `missing_credentials` is what is wrong if the settings hold no account; `phone` is a number
/// that is to be called.
pub async fn examine(settings: &Settings, missing_credentials: &str, phone: Option<&PhoneNumber>) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("settings", "they can be read and go together")];
    match &settings.twilio {
        Some(account) => match Client::new(app::account_of(settings, account), settings.http_timeout()) {
            Ok(client) => {
                let patient = Patient { settings, client: Arc::new(client), phone };
                findings.extend(patient.account().await);
                findings.extend(public_url::check(settings, account).await);
            }
            Err(error) => findings.push(Finding::failed("settings", error, "Look at TWILIO_API_BASE_URL")),
        },
        None => {
            let mend = "Copy .env.example to .env and fill them in, as Twilio's console shows them";
            findings.push(Finding::failed("credentials", missing_credentials, mend));
        }
    }
    findings.push(store::check(settings).await);
    findings
}

/// What the checks of the account look at.
struct Patient<'a> {
    settings: &'a Settings,
    client: Arc<Client>,
    phone: Option<&'a PhoneNumber>,
}

impl Patient<'_> {
    async fn account(&self) -> Vec<Finding> {
        let (mut findings, account) = credentials::check(self).await;
        // Without them Twilio answers nothing else.
        let Some(account) = account else { return findings };
        findings.extend(number::check(self).await);
        if account.is_trial() {
            findings.push(number::trial(self).await);
        }
        for region in &self.settings.phone_rules.allowed_regions {
            findings.push(geo::check(self, &region.to_string()).await);
        }
        findings.extend(cost::check(self).await);
        findings.extend(limits::check(self.settings, &account));
        findings
    }

    fn caller(&self) -> &str {
        self.settings.twilio.as_ref().map_or("", |account| &account.from_number)
    }

    /// Whether it is `gymcall simulator` that is asked.
    fn is_local(&self) -> bool {
        is_loopback(&self.settings.twilio_api_base_url)
    }
}

/// Twilio did not answer a question: what to do then.
fn remedy(error: &RequestError) -> String {
    match error {
        RequestError::NoReply { .. } => {
            "Look whether TWILIO_API_BASE_URL can be reached from here; for the local one, start `gymcall simulator`"
                .to_owned()
        }
        RequestError::Refused(refusal) => refusal.remedy().to_owned(),
        _ => "Try again; if it stays so, look at https://status.twilio.com".to_owned(),
    }
}
