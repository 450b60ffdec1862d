//! Which numbers may be dialled, however they are written.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use gymcall_jobs::phone::{PhoneError, PhoneNumber, PhoneRules, Region};
use gymcall_jobs::roster::RowCode;

fn rules(allowed: &[&str]) -> PhoneRules {
    PhoneRules::new(allowed.iter().map(|region| region.parse().unwrap()), Region::US)
}

/// The stored number, or the row code.
fn read(raw: &str, country: Option<&str>, rules: &PhoneRules) -> String {
    match PhoneNumber::parse(raw, country, rules) {
        Ok(phone) => phone.to_string(),
        Err(error) => error.row_code().to_string(),
    }
}

#[test]
fn a_number_is_understood_as_people_and_spreadsheets_write_it() {
    let us = rules(&["US"]);
    for raw in [
        "+14155550100",
        "4155550100",
        "14155550100",
        "1-415-555-0100",
        "(415) 555-0100",
        "415.555.0100",
        " 415 555 0100 ",
        "+1 (415) 555-0100",
        "tel:+1-415-555-0100",
        "Tel:4155550100",
        "4155550100.0",
        "14155550100.00",
        "'+14155550100",
        "'4155550100",
        "=\"4155550100\"",
        "4.155550100E9",
        "4.155550100E+09",
        "1.4155550100e10",
        "415\u{a0}555\u{a0}0100",
        "415\u{2011}555\u{2013}0100",
        "\u{202a}+14155550100\u{202c}",
        "\u{feff}4155550100",
        "４１５５５５０１００",
        "011 1 415 555 0100",
        "415/555-0100",
    ] {
        assert_eq!(read(raw, None, &us), "+14155550100", "{raw:?}");
    }
}

#[test]
fn letters_are_digits_only_where_they_spell_a_whole_number() {
    let us = rules(&["US"]);
    assert_eq!(read("1-800-FLOWERS", None, &us), "+18003569377");
    assert_eq!(read("1 (800) FLOWERS", None, &us), "+18003569377");
    assert_eq!(read("800-go-fedex", None, &us), "+18004633339");
    assert_eq!(read("+1-800-FLOWERS", Some("DE"), &us), "+18003569377");
    for raw in [
        "4155 Joanna",
        "Joanna 4155550100",
        "call 415 555 0100",
        "4155550100 (front desk)",
        "1-800-CONTACTS",
        "555-GYMS",
    ] {
        assert_eq!(read(raw, None, &us), "invalid_phone", "{raw:?}");
    }
}

#[test]
fn a_number_that_is_not_certain_is_refused() {
    let us = rules(&["US", "GB"]);
    for raw in [
        "555-0100",
        "415-555-010",
        "415-555-01000",
        "+1 999 555 0100",
        "+0 415 555 0100",
        "411",
        "72345",
        "12345",
        "4155550100 4155550101",
        "415-555-0100 / 415-555-0101",
        "415-555-0100/01",
        "415-555-0100, 415-555-0101",
        "415-555-0100;415-555-0101",
        "415-555-0100 or 0101",
        "4155550100,,4",
        "*67 4155550100",
        "415+5550100",
        "++14155550100",
        "4.15555E+09",
        "4.1555501E9",
        "4155550100x12",
        "415-555-0100 ext. 4",
        "415-555-0100 #4",
        "tel:+1-415-555-0100;ext=4",
        "415-555-0100 Extension: 22",
        "3.14159",
        "2026-11-23",
        "<script>4155550100</script>",
        "442079460018",
        "hello",
    ] {
        assert_eq!(read(raw, None, &us), "invalid_phone", "{raw:?}");
    }
    // Where numbers vary in length, a second one would lengthen the first.
    let german = rules(&["DE"]);
    assert_eq!(read("030/1234567", Some("DE"), &german), "+49301234567");
    assert_eq!(read("030 1234567 / 8", Some("DE"), &german), "invalid_phone");
    let extension = PhoneNumber::parse("415-555-0100 ext. 4", None, &us).unwrap_err();
    assert_eq!(extension, PhoneError::Extension);
    assert_eq!(PhoneNumber::parse("4.15555E+09", None, &us).unwrap_err(), PhoneError::Rounded);
}

#[test]
fn no_number_is_missing_rather_than_wrong() {
    for raw in ["", "  ", "\u{a0}", "-", "n/a", "N/A", "#N/A", "none", "'", "=\"\"", "tel:"] {
        assert_eq!(read(raw, None, &rules(&["US"])), "missing_phone", "{raw:?}");
    }
}

#[test]
fn the_fictional_numbers_of_a_real_area_are_numbers() {
    for raw in ["+12125550100", "+14155550199", "(212) 555-0150", "+13055550123"] {
        assert!(PhoneNumber::parse(raw, None, &rules(&["US"])).is_ok(), "{raw:?}");
    }
}

#[test]
fn plus_one_is_more_than_one_country() {
    let us = rules(&["US"]);
    for raw in ["+14165550100", "+18765550100", "876-523-1234", "+18095550100", "+12425550100", "+17875550100"] {
        assert_eq!(read(raw, None, &us), "not_allowed", "{raw:?}");
    }
    assert_eq!(read("416-555-0100", None, &rules(&["CA"])), "+14165550100");
    assert_eq!(read("415-555-0100", Some("Canada"), &us), "+14155550100");
    let error = PhoneNumber::parse("+18765550100", None, &us).unwrap_err();
    let region = "JM".parse().unwrap();
    assert_eq!(error, PhoneError::NotAllowed { region, allowed: "US".into() });
}

#[test]
fn emergency_satellite_and_premium_numbers_are_refused_whatever_is_allowed() {
    let all = rules(&["US", "CA", "GB", "FR", "AU", "DE", "JM"]);
    for raw in [
        "911",
        "9-1-1",
        "112",
        "999",
        "+1 911",
        "1911",
        "1-911",
        "+44 999",
        "=\"911\"",
        "988",
        "000",
        "+881612345678",
        "+8816123",
        "+870773111632",
        "+88216123456",
    ] {
        assert_eq!(read(raw, None, &all), "not_allowed", "{raw:?}");
    }
    assert_eq!(read("000", Some("AU"), &all), "not_allowed");
    for raw in [
        "+19005551234",
        "900-555-1234",
        "415-976-1234",
        "+449012345678",
        "+447012345678",
        "+448435551234",
        "+33 899 123456",
        "+979123456789",
        "+80812345678",
    ] {
        assert_eq!(read(raw, None, &all), "premium", "{raw:?}");
    }
    assert_eq!(read("+449012345678", None, &rules(&["US"])), "premium");
}

#[test]
fn the_country_says_how_a_national_number_is_read() {
    let rules = rules(&["US", "GB", "IT", "MX"]);
    for (raw, country, expected) in [
        ("020 7946 0018", "GB", "+442079460018"),
        ("020 7946 0018", "united kingdom", "+442079460018"),
        ("020 7946 0018", "uk", "+442079460018"),
        ("+44 (0)20 7946 0018", "US", "+442079460018"),
        ("00 44 20 7946 0018", "GB", "+442079460018"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("4155550100", "U.S.A.", "+14155550100"),
        ("4155550100", "  ", "+14155550100"),
        // Ten digits from Mexico City are a valid number in New Jersey.
        ("55 1234 5678", "Mexico", "+525512345678"),
        ("55 1234 5678", "Méjico", "invalid_phone"),
        ("+52 55 1234 5678", "Méjico", "+525512345678"),
        ("030 123456", "DE", "not_allowed"),
    ] {
        assert_eq!(read(raw, Some(country), &rules), expected, "{raw:?} in {country:?}");
    }
}

#[test]
fn a_stored_number_is_read_back_by_its_shape() {
    let phone: PhoneNumber = serde_json::from_str("\"+19995550100\"").unwrap();
    assert_eq!(phone.region(), None);
    assert_eq!(serde_json::to_string(&phone).unwrap(), "\"+19995550100\"");
    assert_eq!(phone.digits(), 19_995_550_100);
    for bad in ["", "+", "4155550100", "+0415555010", "+1415555010a", "+1234567890123456", "+12345", "+1 4155550100"] {
        assert!(PhoneNumber::try_from(bad.to_owned()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_log_shows_the_country_and_the_end_of_a_number() {
    for (e164, masked) in [
        ("+14155551234", "+1•••••1234"),
        ("+442079460018", "+44•••••0018"),
        ("+35312345678", "+353•••••5678"),
        ("+2901234", "+290•••••34"),
    ] {
        assert_eq!(PhoneNumber::try_from(e164.to_owned()).unwrap().masked(), masked);
    }
}

#[test]
fn an_error_is_a_sentence_that_shows_at_most_a_little_of_the_cell() {
    let long = "9".repeat(500);
    let error = PhoneNumber::parse(&long, None, &rules(&["US"])).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
    let escape = PhoneNumber::parse("\u{1b}[31m415", None, &rules(&["US"])).unwrap_err();
    assert!(!escape.to_string().contains('\u{1b}'), "{escape}");
}

#[test]
fn a_region_is_two_letters_that_have_telephones() {
    assert_eq!("us".parse::<Region>().unwrap(), Region::US);
    for bad in ["", "USA", "XX", "001", "1"] {
        assert!(bad.parse::<Region>().is_err(), "{bad:?}");
    }
    assert_eq!(Region::of_country("England").unwrap().to_string(), "GB");
    assert_eq!(RowCode::ALL.len(), 9);
}
