use super::*;

/// Why these settings are refused, with one variable of the account changed.
fn refused(variable: &'static str, value: &str) -> Option<String> {
    let mut variables = vec![
        ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", "token"),
        ("TWILIO_FROM_NUMBER", "+12125550100"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1:4010"),
    ];
    variables.retain(|(name, _)| *name != variable);
    variables.push((variable, value));
    let sources = Sources::of(variables.into_iter().map(|(name, value)| (name, value.to_owned())));
    Settings::from_sources(&sources).err().map(|error| error.to_string())
}

#[test]
fn an_account_that_twilio_would_refuse_is_refused_at_once() {
    assert_eq!(refused("TWILIO_AUTH_TOKEN", "another"), None);
    for (variable, values) in [
        ("TWILIO_ACCOUNT_SID", ["AC0123", "SK0123456789abcdef0123456789abcdef", "AC0123456789abcdef0123456789abcdeg"]),
        ("TWILIO_FROM_NUMBER", ["2125550100", "+1212", "+0125550100"]),
    ] {
        for value in values {
            let why = refused(variable, value).unwrap_or_default();
            assert!(why.starts_with(variable), "{value}: {why}");
        }
    }
}
