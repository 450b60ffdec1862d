use super::*;

/// The settings with some variables changed.
fn settings(changed: &[(&'static str, &str)]) -> Result<Settings, String> {
    let mut variables = vec![
        ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", "token"),
        ("TWILIO_FROM_NUMBER", "+12125550100"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1:4010"),
    ];
    variables.retain(|(name, _)| !changed.iter().any(|(other, _)| name == other));
    variables.extend(changed);
    let sources = Sources::of(variables.into_iter().map(|(name, value)| (name, value.to_owned())));
    Settings::from_sources(&sources).map_err(|error| error.to_string())
}

/// Why these settings are refused, with one variable of the account changed.
fn refused(variable: &'static str, value: &str) -> Option<String> {
    settings(&[(variable, value)]).err()
}

const REAL: (&str, &str) = ("TWILIO_API_BASE_URL", "https://api.twilio.com");
const PUBLIC: (&str, &str) = ("PUBLIC_BASE_URL", "https://gyms.example");
const KEY: (&str, &str) = ("GYMCALL_API_KEY", "key");

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

#[test]
fn people_are_spoken_to_and_the_local_twilio_is_sent_tones_unless_told_otherwise() {
    let local = settings(&[]).unwrap();
    assert_eq!((local.speech, local.machine_detection), (Speech::Tones, false));
    let real = settings(&[REAL, PUBLIC, KEY]).unwrap();
    assert_eq!((real.speech, real.machine_detection), (Speech::Twilio(Default::default()), true));
    let spoken = [("GYMCALL_SPEECH", "twilio"), ("GYMCALL_VOICE", "Polly.Amy"), ("GYMCALL_LANGUAGE", "en-gb")];
    let Speech::Twilio(voice) = settings(&spoken).unwrap().speech else { panic!("tones") };
    assert_eq!((voice.name.as_deref(), voice.language.as_str()), (Some("Polly.Amy"), "en-GB"));
    let unheard = settings(&[("GYMCALL_SPEECH", "twilio"), ("GYMCALL_MACHINE_DETECTION", "false")]).unwrap();
    assert!(!unheard.machine_detection);
    for (name, value) in [
        ("GYMCALL_SPEECH", "Twilio!"),
        ("GYMCALL_LANGUAGE", "English"),
        ("GYMCALL_LANGUAGE", "en"),
        ("GYMCALL_MACHINE_DETECTION", "maybe"),
    ] {
        let why = settings(&[("GYMCALL_SPEECH", "twilio"), (name, value)]).unwrap_err();
        assert!(why.starts_with(name), "{why}");
    }
    let why = settings(&[("GYMCALL_SPEECH", "twilio"), ("GYMCALL_VOICE", "a <voice>")]).unwrap_err();
    assert!(why.starts_with("GYMCALL_VOICE"), "{why}");
}

#[test]
fn people_are_called_only_where_twilio_can_reach_this_server_in_secret() {
    for public in ["http://gyms.example", "https://localhost:8000", "https://127.0.0.1"] {
        let why = settings(&[REAL, KEY, ("PUBLIC_BASE_URL", public)]).unwrap_err();
        assert!(why.starts_with("PUBLIC_BASE_URL"), "{public}: {why}");
    }
    let why = settings(&[REAL, KEY]).unwrap_err();
    assert!(why.starts_with("PUBLIC_BASE_URL"), "{why}");
    let why = settings(&[REAL, PUBLIC, KEY, ("GYMCALL_SPEECH", "tones")]).unwrap_err();
    assert!(why.starts_with("GYMCALL_SPEECH=tones"), "{why}");
}

#[test]
fn a_minute_costs_what_the_operator_says() {
    let price = |value| settings(&[("GYMCALL_PRICE_PER_MINUTE", value)]).map(|settings| settings.price_per_minute);
    assert_eq!(price("").unwrap(), "0.014".parse().unwrap());
    assert_eq!(price("0.0085").unwrap(), "0.0085".parse().unwrap());
    for nonsense in ["0", "-1", "100.5", "free"] {
        let why = price(nonsense).unwrap_err();
        assert!(why.starts_with("GYMCALL_PRICE_PER_MINUTE"), "{nonsense}: {why}");
    }
}
