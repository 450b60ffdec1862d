//! `gymcall doctor`

use clap::Args;
use gymcall_jobs::phone::PhoneNumber;
use serde_json::json;

use super::table::{GREEN, RED, RESET, YELLOW};
use super::{CliError, Done, print_json, start_log};
use crate::config::{Flags, Settings, Sources, missing_credentials};
use crate::doctor::{self, Finding, Verdict};

/// Looks at everything that a real call needs, and says how to mend what is wrong. Nobody is called.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// A number that is to be called: whether it may be, and what that costs
    phone: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

impl Doctor {
    pub(super) async fn run(self, json: bool) -> Result<Done, CliError> {
        let sources = Sources::read(self.flags)?;
        start_log(sources.get("LOG_LEVEL").unwrap_or("error"))?;
        let findings = match Settings::from_sources(&sources) {
            Ok(settings) => {
                match self.phone.map(|raw| PhoneNumber::parse(&raw, None, &settings.phone_rules)).transpose() {
                    Ok(phone) => doctor::examine(&settings, &missing_credentials(&sources), phone.as_ref()).await,
                    Err(error) => vec![Finding::failed(
                        "phone",
                        error,
                        "Write it in full, as +14155550123; GYMCALL_ALLOWED_REGIONS says which countries may be called",
                    )],
                }
            }
            Err(error) => vec![Finding::failed("settings", error, "Mend it in .env or in the environment")],
        };
        let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Failed).count();
        if json {
            print_json(&json!({"ok": failed == 0, "checks": findings}));
        } else {
            findings.iter().for_each(print);
        }
        match failed {
            0 => Ok(Done::Well),
            1 => Err(CliError::Refused("1 check failed: a real call would, too".to_owned())),
            failed => Err(CliError::Refused(format!("{failed} checks failed: a real call would, too"))),
        }
    }
}

fn print(finding: &Finding) {
    let Finding { check, verdict, detail, mend } = finding;
    let (colour, word) = match verdict {
        Verdict::Ok => (GREEN, "ok"),
        Verdict::Warning => (YELLOW, "warning"),
        Verdict::Failed => (RED, "FAILED"),
    };
    anstream::println!("{colour}{word:<8}{RESET}{check:<17} {detail}");
    if let Some(mend) = mend {
        anstream::println!("{:25} -> {mend}", "");
    }
}
