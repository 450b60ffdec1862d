//! Countries: which one a number belongs to, and what their pages say.

use std::sync::LazyLock;

use serde::Deserialize;

/// One country of `countries.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Country {
    /// Two letters, ISO 3166-1.
    pub(crate) iso: String,
    pub(crate) name: String,
    pub(crate) continent: String,
    /// As `+1`.
    pub(crate) codes: Vec<String>,
    /// Its share of a code that it has together with others.
    #[serde(default)]
    prefixes: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    country: Vec<Country>,
}

static ALL: LazyLock<Vec<Country>> = LazyLock::new(|| {
    // A test reads the file, so it cannot be wrong here.
    #[allow(clippy::expect_used)]
    let file: File = toml::from_str(include_str!("../../countries.toml")).expect("countries.toml is well formed");
    file.country
});

impl Country {
    pub(crate) fn all() -> &'static [Country] {
        &ALL
    }

    /// The country with this ISO code, whatever the case.
    pub(crate) fn of_iso(iso: &str) -> Option<&'static Country> {
        ALL.iter().find(|country| country.iso.eq_ignore_ascii_case(iso))
    }

    /// The country of a number in E.164.
    pub(crate) fn of_number(number: &str) -> Option<&'static Country> {
        let longest = |country: &Country| {
            let starts = if country.prefixes.is_empty() { &country.codes } else { &country.prefixes };
            starts.iter().filter(|start| number.starts_with(start.as_str())).map(String::len).max()
        };
        let fitting = ALL.iter().filter_map(|country| Some((longest(country)?, country)));
        fitting.max_by_key(|(length, _)| *length).map(|(_, country)| country)
    }
}

#[cfg(test)]
mod tests {
    use super::Country;

    #[test]
    fn the_longest_prefix_tells_the_country() {
        let iso = |number| Country::of_number(number).map(|country| country.iso.as_str());
        assert_eq!(iso("+14155550101"), Some("US"));
        assert_eq!(iso("+14165550101"), Some("CA"));
        assert_eq!(iso("+35315550101"), Some("IE"));
        assert_eq!(iso("+99955501010"), None);
    }
}
