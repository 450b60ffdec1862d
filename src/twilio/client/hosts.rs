//! Where Twilio's other products are, told from where its REST API is.

use url::{Host, Url};

/// What is not on the REST API's own host.
#[derive(Debug, Clone, Copy)]
pub(super) enum Product {
    /// Where the account may call.
    Voice,
    /// What that costs.
    Pricing,
}

impl Product {
    const fn name(self) -> &'static str {
        match self {
            Product::Voice => "voice",
            Product::Pricing => "pricing",
        }
    }

    /// Its base: `voice.twilio.com` beside `api.twilio.com`, of the same region; a local Twilio has all on one host.
    pub(super) fn base(self, api: &Url) -> Url {
        let mut base = api.clone();
        base.set_query(None);
        base.set_fragment(None);
        if let Some(Host::Domain(host)) = api.host()
            && let Some(region) = host.strip_prefix("api.")
            && host.ends_with(".twilio.com")
            // A name before a known one is a name.
            && base.set_host(Some(&format!("{}.{region}", self.name()))).is_err()
        {
            return api.clone();
        }
        base
    }
}

#[cfg(test)]
mod tests {
    use super::Product;

    #[test]
    fn twilios_hosts_stand_beside_its_api_and_a_local_one_has_all_in_one_place() {
        for (api, voice, pricing) in [
            ("https://api.twilio.com", "https://voice.twilio.com/", "https://pricing.twilio.com/"),
            (
                "https://api.dublin.ie1.twilio.com/",
                "https://voice.dublin.ie1.twilio.com/",
                "https://pricing.dublin.ie1.twilio.com/",
            ),
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010/", "http://127.0.0.1:4010/"),
            ("http://localhost:4010/below", "http://localhost:4010/below", "http://localhost:4010/below"),
            ("https://api.example.com", "https://api.example.com/", "https://api.example.com/"),
        ] {
            let api = api.parse().unwrap();
            assert_eq!(Product::Voice.base(&api).as_str(), voice);
            assert_eq!(Product::Pricing.base(&api).as_str(), pricing);
        }
    }
}
