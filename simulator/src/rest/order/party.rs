//! Who calls whom.

use super::super::error::Refusal;
use super::super::form::Form;
use super::super::magic;
use super::Terms;

/// Longest user name or password, in characters.
const LONGEST_CREDENTIAL: usize = 255;

/// One end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Party {
    /// In E.164.
    Number(String),
    /// `sip:` or `sips:`
    Sip(String),
    /// `client:`
    Client(String),
}

impl Party {
    /// Numbers may be written with spaces, dashes, dots and brackets.
    fn parse(text: &str) -> Option<Party> {
        let names_somebody = |prefix: &str| text.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
        if names_somebody("sip:") || names_somebody("sips:") {
            return Some(Party::Sip(text.to_owned()));
        }
        if names_somebody("client:") {
            return Some(Party::Client(text.to_owned()));
        }
        let bare: String = text.trim().chars().filter(|letter| !" -.()".contains(*letter)).collect();
        is_e164(&bare).then_some(Party::Number(bare))
    }

    fn into_text(self) -> String {
        match self {
            Party::Number(text) | Party::Sip(text) | Party::Client(text) => text,
        }
    }
}

/// `To` and `From`, checked and in the form in which they are kept.
pub(super) fn both(terms: Terms<'_>, to: &str, from: &str) -> Result<(String, String), Refusal> {
    let callee = Party::parse(to).ok_or_else(|| invalid_to(to))?;
    let caller = match Party::parse(from) {
        Some(caller @ Party::Number(_)) => caller,
        // Somebody who is not called by telephone may be called by a mere name.
        _ if !matches!(callee, Party::Number(_)) => Party::Client(from.to_owned()),
        _ => return Err(invalid_from(from)),
    };
    if callee == caller {
        return Err(invalid_to(to));
    }
    let (to, from) = (callee.into_text(), caller.into_text());
    if let Some(code) = terms.refusal_to(&to) {
        return Err(refused(code, &to));
    }
    match terms.refusal_from(&from) {
        Some(21212) => Err(invalid_from(&from)),
        Some(_) => Err(unverified(&from)),
        None => Ok((to, from)),
    }
}

impl Terms<'_> {
    /// Why `to` cannot be called, if it cannot.
    fn refusal_to(self, to: &str) -> Option<u32> {
        let settings = match self {
            Terms::Account(settings) => settings,
            Terms::Test => return magic::refusal_to(to),
        };
        let account = &settings.account;
        if let Some(code) = settings.callees.at(to).refusal() {
            return Some(code);
        }
        if to.starts_with('+') && !account.may_call_to(to) {
            return Some(21215);
        }
        (account.trial.is_some() && !account.has(to)).then_some(21219)
    }

    /// Why nobody can call from `from`, if nobody can.
    fn refusal_from(self, from: &str) -> Option<u32> {
        match self {
            Terms::Account(settings) => {
                (from.starts_with('+') && !settings.account.may_call_from(from)).then_some(21210)
            }
            Terms::Test => magic::refusal_from(from),
        }
    }
}

/// `CallerId`, which must be the account's too. Callees here do not look at who calls.
pub(super) fn caller_id(terms: Terms<'_>, form: &Form) -> Result<(), Refusal> {
    let Some(text) = form.get("CallerId") else {
        return Ok(());
    };
    match Party::parse(text) {
        Some(Party::Number(number)) if terms.refusal_from(&number).is_some() => Err(unverified(&number)),
        Some(_) => Ok(()),
        None => Err(Refusal::bad(21212, format!("The 'CallerId' {text} is not a valid phone number."))),
    }
}

/// `SipAuthUsername` and `SipAuthPassword`. Nobody here asks for them, so they are checked only.
pub(super) fn sip_credentials(form: &Form) -> Result<(), Refusal> {
    let (name, password) = (form.get("SipAuthUsername"), form.get("SipAuthPassword"));
    for (what, value, long, illegal) in
        [("SipAuthUsername", name, 21221, 21222), ("SipAuthPassword", password, 21223, 21224)]
    {
        let value = value.unwrap_or_default();
        if value.chars().count() > LONGEST_CREDENTIAL {
            return Err(Refusal::bad(long, format!("Invalid {what}. Must be fewer than 256 chars")));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::bad(illegal, format!("Invalid {what}. Illegal chars")));
        }
    }
    if name.is_some() && password.is_none() {
        return Err(Refusal::bad(21225, "SipAuthPassword is required when providing SipAuthUsername"));
    }
    Ok(())
}

fn invalid_to(to: &str) -> Refusal {
    refused(21211, to)
}

fn invalid_from(from: &str) -> Refusal {
    Refusal::bad(21212, format!("The 'From' number {from} is not a valid phone number."))
}

fn unverified(from: &str) -> Refusal {
    let message =
        format!("The source phone number provided, {from}, is not yet verified for your account: verify it or buy it.");
    Refusal::bad(21210, message)
}

/// A number that Twilio does not call.
fn refused(code: u32, to: &str) -> Refusal {
    let message = match code {
        21203 => format!("International calls are not enabled for this account: {to}"),
        21211 => format!("The 'To' number {to} is not a valid phone number."),
        21214 => format!("The 'To' phone number {to} cannot be reached"),
        21215 => format!("Account not authorized to call {to}. Geographic permissions may have to be given first."),
        21216 => format!("Account not allowed to call {to}"),
        21217 => format!("Phone number {to} does not appear to be valid"),
        21219 => {
            format!("The number {to} is unverified. Trial accounts may only make calls to verified numbers.")
        }
        _ => format!("Twilio does not call {to}"),
    };
    Refusal::bad(code, message)
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_or_refused() {
        assert!(is_e164("+14155550101") && is_e164("+4930123456"));
        for wrong in ["", "+", "14155550101", "+0123456789", "+1415555O101", "+1234567890123456"] {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_party_is_a_number_however_written_or_an_address() {
        let number = Some(Party::Number("+14155550101".to_owned()));
        assert_eq!(Party::parse("+1 (415) 555-0101"), number);
        assert!(matches!(Party::parse("sip:gym@example.com"), Some(Party::Sip(_))));
        assert!(matches!(Party::parse("client:anna"), Some(Party::Client(_))));
        assert_eq!(Party::parse("client:"), None);
    }
}
